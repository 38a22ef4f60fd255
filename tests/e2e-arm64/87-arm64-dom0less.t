# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=none dom0less=mmio timeout=90
#
# A disk over grants in a guest that Xen started by itself, beside dom0: no xl, no
# xenstore. What the guest does is in 87-arm64-dom0less.guest.

. /payload/lib.sh

# said NAME: what the guest has printed behind a name
said()
{
	xl dmesg | tr -d '\r' | sed -n "s/^.*result $1 //p" | tail -n 1
}

ended()
{
	xl dmesg | grep -q 'rig: end'
}

waits()
{
	xl dmesg | grep -q 'rig: waiting'
}

guest_set id 1
guest_set dead 'has no agent'
wait_for 60 waits
ok $? 'the guest is up and waits'
# shellcheck disable=SC2046
backend_start $(std_blk)
ok $? 'the backend starts'
maps_mark
wait_for 60 ended
ok $? 'the guest finds it and does its work' || diag "$(xl dmesg | tail -n 20)"

is "$(said load)" 0 'the module was loaded'
like "$(said log)" '^grants to domain 0, by iommus of /passthrough/virtio@2000000' 'it gives grants, as the tree says'
is "$(said written)" "$(disk_sum 4096)" 'dom0 finds on the disk what the guest wrote'
is "$(said read)" "$(disk_sum 4096)" 'the guest read it back'
diag "$(backend_stats)"
only_grants 'all this'
is "$(backend_sum mapped) $(backend_sum failures)" '0 0' 'the backend holds nothing any more'
is "$(said unload)" 0 'the module was removed'
is "$(said complaints)" 0 'the kernel had nothing to complain of'
done_testing
