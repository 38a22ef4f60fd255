# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=none dom0=pvh timeout=120
#
# dom0 as a PVH guest of Xen: the backend maps grants another way there.

. /payload/lib.sh

is "$(cat /sys/hypervisor/guest_type)" PVH 'dom0 is PVH'
# shellcheck disable=SC2046
guest_boot -- $(std_blk) || bail 'no guest'

maps_mark
load "backend='*=0'"
ok $? 'the module loads'
drivers blk
ok $? 'the driver loads'
guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=32 2>/dev/null
	dd if=/tmp/data of=/dev/vda bs=64k oflag=direct 2>/dev/null'
ok $? 'the guest writes to its disk'
sum=$(guest 'md5sum </tmp/data | cut -d" " -f1')
is "$(disk_sum 2048)" "$sum" 'dom0 finds the same on the disk'
is "$(guest_sum 2048)" "$sum" 'the guest reads it back'
cmp_ok "$(maps_grant)" -gt 30 'the backend mapped grants'
is "$(maps_foreign)" 0 'and nothing else'

no_drivers blk
ok $? 'the driver leaves'
is "$(grants)" '' 'no grant is mapped, says Xen'
is "$(probe)" '' 'dom0 can map nothing any more'
unload
ok $? 'the module leaves'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
