# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# The simplest example tree, given to xl, shows what docs/arm.md says.

. /payload/lib.sh

guest_create dtb=mmio || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk) && guest_start || bail 'it does not start'
load
drivers blk
ok $? 'the disk comes up'
is "$(guest 'dmesg | sed -n "s/.*\(virtio-mmio .* xen_grant_dma:\)/\1/p"')" 'virtio-mmio 2000000.virtio: xen_grant_dma: grants to domain 0, by iommus of /passthrough/virtio@2000000' \
	'the log says what docs/arm.md does'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null'
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'the disk works'
is "$(backend_sum plain) $(backend_sum failures)" '0 0' 'over grants'
is "$(guest 'od -An -tx1 /proc/device-tree/passthrough/virtio@2000000/iommus')" ' 00 00 00 01 00 00 00 00' \
	'the tree of the guest has the domain where docs/arm.md shows it'
no_drivers blk
nothing_left
done_testing
