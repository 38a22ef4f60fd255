# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=120
#
# The example trees of dts/, and what the README says that a guest with them shows.

. /payload/lib.sh

said()
{
	guest 'dmesg | sed -n "s/^\[[ 0-9.]*\] //p" | grep xen_grant_dma: | grep virtio'
}

# ---- one device ----
guest_create dtb=mmio || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk) && guest_start || bail 'it does not start'
load
drivers blk
ok $? 'mmio.dts: the disk comes up'
is "$(said)" 'virtio-mmio 2000000.virtio: xen_grant_dma: grants to domain 0, by iommus of /passthrough/virtio@2000000' \
	'the log says what the README does'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null'
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'the disk works'
is "$(backend_sum plain) $(backend_sum failures)" '0 0' 'over grants'
is "$(guest 'od -An -tx1 /proc/device-tree/passthrough/virtio@2000000/iommus')" ' 00 00 00 01 00 00 00 00' \
	'the tree of the guest has the domain where the README shows it'
no_drivers blk
nothing_left
guest_destroy

# ---- two backends ----
guest_create dtb=mmio-two-backends || bail 'no second guest'
# shellcheck disable=SC2046
backend_start --device "rng,$BLK" --device "rng,$NET" && guest_start || bail 'it does not start'
load
drivers rng
is "$(said)" 'virtio-mmio 2000000.virtio: xen_grant_dma: grants to domain 0, by iommus of /passthrough/virtio@2000000
virtio-mmio 2000200.virtio: xen_grant_dma: grants to domain 3, by iommus of /passthrough/virtio@2000200' \
	'mmio-two-backends.dts: each device has its own'
cmp_ok "$(backend_stat rng0 requests)" -gt 0 'the first works'
is "$(backend_stat rng1 maps)" 0 'and what is granted to domain 3 is not for dom0'
done_testing
