# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# A device that xl describes, virtio=[...] with grant_usage=1, beside one of a tree of
# our own: each has its own "xen,grant-dma" node.

. /payload/lib.sh

grep -q grant_usage /usr/lib/xen/bin/xl || skip_all 'xl before Xen 4.18 does not know virtio='

guest_create dtb=beside-xl virtio=backend=0,type=virtio,device,transport=mmio,grant_usage=1 || bail 'no guest'
# shellcheck disable=SC2046
qemu_start $(qemu_blk device) $(qemu_rng device) && guest_start || bail 'it does not start'
maps_mark

is "$(guest 'find /proc/device-tree/ -name compatible | xargs grep -l xen,grant-dma | wc -l')" 2 'the tree has two nodes'
like "$(guest 'ls /proc/device-tree')" '^virtio@2000000$' "xl's device is there"
load
ok $? 'the module loads'
drivers blk rng
ok $? 'the drivers load'
like "$(guest 'dmesg | grep 2000000.virtio')" 'xen_grant_dma: grants to domain 0, by iommus of /virtio@2000000' "xl's tree is followed"
like "$(guest 'dmesg | grep 2000200.virtio')" 'xen_grant_dma: grants to domain 0, by iommus of /passthrough/virtio@2000200' 'so is ours'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=64 oflag=direct 2>/dev/null'
ok $? 'the guest writes to its disk'
is "$(guest_sum 4096)" "$(disk_sum 4096)" 'dom0 finds on it what the guest reads back'
is "$(guest 'dd if=/dev/hwrng bs=64 count=16 2>/dev/null | wc -c')" 1024 'random numbers come'
only_grants 'all this'
no_drivers blk rng
ok $? 'the drivers leave'
nothing_left
done_testing
