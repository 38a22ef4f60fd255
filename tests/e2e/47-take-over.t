# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=60
#
# A kernel with CONFIG_XEN_VIRTIO has grant DMA of its own. Debian has no such
# kernel: this is the module built as for one.

. /payload/lib.sh

MODULE=/payload/stable/xen_grant_dma-xen_virtio.ko

like "$(guest "insmod $MODULE force_grant=1" 2>&1)" 'busy' 'it does not load'
like "$(guest dmesg)" 'xen_grant_dma: this kernel has its own grant DMA \(CONFIG_XEN_VIRTIO\); take_over=1 replaces it' \
	'and says why, and what to do'

# What was in the callback is not asked then: it would set operations of its own.
guest 'insmod /payload/stable/xgd_hook.ko plain=1'
guest "insmod $MODULE force_grant=1 take_over=1"
ok $? 'with take_over=1 it does'
maps_mark
drivers blk
guest 'dd if=/dev/vda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null'
ok $? 'a disk works'
cmp_ok "$(maps_grant)" -gt 0 'with grants'
is "$(maps_foreign)" 0 'only'
is "$(guest 'cat /sys/module/xgd_hook/parameters/calls')" 0 'the kernel'\''s own code is not asked'
no_drivers blk
unload
is "$(guest 'cat /sys/module/xgd_hook/parameters/installed')" 1 'but is back when the module has gone'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
