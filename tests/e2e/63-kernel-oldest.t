# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=dom0 kernels=oldest timeout=240
#
# The oldest kernel. Virtio itself is a module there, so there is more to load, and
# more ways to load it in the wrong order.

. /payload/lib.sh
. /payload/fake.sh
. /payload/kernel.sh

# Without init_on_alloc Debian's kernel does not clear all memory by itself.
guest_boot kernel=oldest append=init_on_alloc=0 || bail 'no guest'
runs_kernel oldest

# The rig has loaded the transport.
guest 'modprobe -r virtio_pci; [ ! -e /sys/module/virtio ]'
ok $? 'there is no virtio'
load force_grant=1 >/dev/null
isnt $? 0 'the module does not load without it'

# The right order begins with virtio; the transport may come before or after.
guest 'modprobe virtio_pci && modprobe virtio_blk'
ok $? 'a driver is there before the module'
load force_grant=1
ok $? 'the module loads now'
like "$(guest 'dmesg')" 'virtio-pci 0000:00:01.0: xen_grant_dma: left without grants: it got its driver before' \
	'it leaves the device of that driver alone, and says so'
no_drivers blk
unload
ok $? 'driver and module leave'
guest 'rmmod virtio_pci'
ok $? 'so does the transport'

load force_grant=1
ok $? 'the module loads before the transport'
guest 'modprobe virtio_pci'
ok $? 'the transport finds the devices'
kernel_works

. /payload/own.sh
. /payload/attack.sh
packets_stay
done_testing
