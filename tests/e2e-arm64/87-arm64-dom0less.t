# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=none dom0less=mmio timeout=90
#
# A disk over grants in a guest that Xen started by itself, beside dom0: no xl, no
# xenstore. What the guest does is in 87-arm64-dom0less.guest.

. /payload/lib.sh
. /payload/dom0less-arm64.sh

waits()
{
	xl dmesg | grep -q 'rig: waiting'
}

dom0less_guest
wait_for 60 waits
ok $? 'the guest is up and waits'
# shellcheck disable=SC2046
backend_start $(std_blk)
ok $? 'the backend starts'
maps_mark
wait_for 60 ended
ok $? 'the guest finds it and does its work' || diag "$(xl dmesg | tail -n 20)"

is "$(result load)" 0 'the module was loaded'
like "$(result log)" '^grants to domain 0, by iommus of /passthrough/virtio@2000000' 'it gives grants, as the tree says'
is "$(result written)" "$(disk_sum 4096)" 'dom0 finds on the disk what the guest wrote'
is "$(result read)" "$(disk_sum 4096)" 'the guest read it back'
diag "$(backend_stats)"
only_grants 'all this'
is "$(backend_sum mapped) $(backend_sum failures)" '0 0' 'the backend holds nothing any more'
is "$(result unload)" 0 'the module was removed'
is "$(result complaints)" 0 'the kernel had nothing to complain of'
done_testing
