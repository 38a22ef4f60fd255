# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=oldest timeout=150
#
# A disk over grants on the oldest kernel, the backend given by the device tree.

. /payload/lib.sh
. /payload/blk-arm64.sh

guest_boot kernel=oldest dtb=iommus append=deferred_probe_timeout=60 || bail 'no guest'
runs_kernel oldest
guest 'modprobe virtio_mmio'
is "$(guest 'ls /sys/bus/virtio/devices')" '' 'its devices wait for the module'
load
ok $? 'the module loads'
guest 'for i in $(seq 20); do
		[ -e /sys/bus/virtio/devices/virtio2 ] && break
		usleep 100000
	done
	[ -e /sys/bus/virtio/devices/virtio2 ]'
ok $? 'which lets them come up'
is "$(guest 'dmesg | grep -c "allows one IOMMU driver"')" 0 'there is nothing that it could not do'
blk_over_grants

# On 6.1 unregistering an IOMMU leaves its operations behind.
guest 'rmmod virtio_mmio; modprobe virtio_mmio'
is "$(guest 'ls /sys/bus/virtio/devices')" '' 'without it new devices wait'
load
ok $? 'it loads again'
wait_for 5 guest '[ -e /sys/bus/virtio/devices/virtio2 ]'
ok $? 'and they come up'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
