# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For cases in which Xen has started the guest, which prints to Xen's log.

# result NAME: what the guest has printed behind a name
result()
{
	xl dmesg | tr -d '\r' | sed -n "s/^.*result $1 //p" | tail -n 1
}

ended()
{
	xl dmesg | grep -q 'rig: end'
}

# dom0less_guest: of which the helpers of other cases know nothing
dom0less_guest()
{
	guest_set id 1
	guest_set memory 192
	guest_set vcpus 1
	guest_set dead 'has no agent'
}

# What lib.sh shows of other guests.
state()
{
	diag "Xen's log:
$(xl dmesg | tail -n 20)"
	[ ! -s "$(guest_get log)" ] || diag "backend's log:
$(tail -n 10 "$(guest_get log)")"
}

# dom0less_works [SIGNAL]: the guest has heard of the backend by this and found its
# disk, and it works
dom0less_works()
{
	wait_for 60 ended
	ok $? 'the guest finds it and does its work'
	is "$(result load)" 0 'the module was loaded'
	is "$(result ready)" "${1-event channel 10}" 'it heard of the backend'
	is "$(result written)" "$(disk_sum 1024)" 'dom0 finds on the disk what the guest wrote'
	is "$(result read)" "$(disk_sum 1024)" 'the guest read it back'
	only_grants 'all this'
	is "$(result unload)" 0 'the module was removed'
	is "$(result complaints)" 0 'the kernel had nothing to complain of'
	diag "waited: $(result waited), from $(result since) to $(result until) s; early events: $(result ignored)"
}
