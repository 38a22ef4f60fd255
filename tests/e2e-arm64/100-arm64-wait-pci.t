# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 needs=qemu timeout=120
#
# virtio-pci, and xl: the host bridge waits, by the example dts/wait-pci.dts, until
# xenstore says that QEMU is up. xl gives the guest no event channel at port 10.

. /payload/lib.sh
. /payload/pci-arm64.sh
. /payload/wait-arm64.sh

BRIDGE=10000000.pcie

# A busy machine must not take 10 s to load the module.
guest_create dtb=wait-pci append=deferred_probe_timeout=20 && guest_start || bail 'no guest'
load wait_timeout=3
ok $? 'the module loads, there is no backend'
is "$(deferred)" "$BRIDGE pci-host-generic: waits until domain 0 is ready" 'the host bridge waits'
is "$(said $BRIDGE)" 'waits until domain 0 is ready, by xen,backend-ready of /passthrough/xen-iommu' 'the log tells who says so'
like "$(guest dmesg)" 'xen_grant_dma: event channel 10 does not lead to domain 0' 'it tells of the event channel that is not there, too'
wait_for 40 guest 'dmesg | grep "deferred probe pending"'
ok $? 'the kernel does not wait for IOMMUs any more'
try_again $BRIDGE
is "$(deferred)" "$BRIDGE pci-host-generic: waits until domain 0 is ready, longer than wait_timeout=" 'but the bridge does'
is "$(domain 0 state)" 'given up' 'although wait_timeout= is over'
is "$(guest 'dmesg | grep -c "xen_grant_dma: domain 0 is not ready after 3 s: its devices are left alone until it is"')" 1 'which the log tells'

# shellcheck disable=SC2046
qemu_start $(qemu_blk pci "$(at 1)") || bail 'no backend'
/payload/bin/virtio-ready -x "$(guest_id)"
ok $? 'QEMU is up, dom0 says so in xenstore'
transports 1
ok $? 'the bridge comes up, with the disk behind it'
is "$(domain 0 state), $(domain 0 signal)" 'ready, xenstore data/virtio-ready/0' 'xenstore has told'
drivers blk
disk_works 'the disk'
no_drivers blk
ok $? 'the driver leaves'
nothing_left
done_testing
