# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=oldest timeout=150
#
# Linux 6.1 allows one IOMMU driver in a system. Where there is one already the
# module says what it cannot do, and devices come up late, but with grants. (Without
# another: 84-arm64-oldest.t.)

. /payload/lib.sh

guest_create kernel=oldest dtb=iommus append=deferred_probe_timeout=2 || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk) $(std_net) $(std_rng) && guest_start || bail 'it does not start'
guest 'insmod /payload/oldest/xgd_iommu.ko'
ok $? 'another IOMMU driver is there'
load
ok $? 'the module loads'
like "$(guest 'dmesg | grep xen-grant-dma')" \
	'xen_grant_dma: this kernel allows one IOMMU driver, and there is one: devices behind this node come up when the kernel has waited' \
	'it says what it cannot do'
guest 'modprobe virtio_mmio; until [ -e /sys/bus/virtio/devices/virtio2 ]; do usleep 100000; done' 30
ok $? 'when the kernel has waited the devices come up'
drivers blk
ok $? 'the driver of the disk loads'
is "$(guest 'dmesg | sed -n "s/.*2000000.virtio: xen_grant_dma: //p"')" \
	'grants to domain 0, by iommus of /passthrough/virtio@2000000' 'the tree names the domain'
guest 'dd if=/dev/urandom of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null'
is "$(guest_sum 1024)" "$(disk_sum 1024)" 'the disk works'
cmp_ok "$(backend_stat blk0 maps)" -gt 10 'over grants'
is "$(backend_sum plain) $(backend_sum failures)" '0 0' 'and nothing else'
no_drivers blk
ok $? 'the driver leaves'
nothing_left
done_testing
