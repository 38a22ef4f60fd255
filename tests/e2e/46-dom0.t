# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=60
#
# In dom0 the virtio devices are those of the machine below, which is not Xen: they
# stay as they are, whatever is forced.

. /payload/lib.sh

said()
{
	dmesg | sed -n 's/.*xen_grant_dma: \(.*\)/\1/p' | grep -v taint
}

insmod /payload/stable/xen_grant_dma.ko force_grant=1 rebind=1
ok $? 'the module loads'
is "$(said | grep -v module)" '' 'and has nothing to say of the disks that dom0 runs from'
echo 0000:00:06.0 >/sys/bus/pci/drivers/virtio-pci/unbind
echo 0000:00:06.0 >/sys/bus/pci/drivers/virtio-pci/bind
wait_for 5 test -b /dev/vdc
like "$(said)" '^no grants: no backend is named' 'a disk that comes later is left alone, too'
dd if=/dev/vdc of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null
ok $? 'it works'
is "$(cat /sys/kernel/debug/xen_grant_dma/devices)" '' 'no device is attached'
rmmod xen_grant_dma
ok $? 'the module unloads'
done_testing
