# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=newest needs=qemu timeout=120
#
# Linux 7.2 waits, too. It asks about all devices as soon as it can: one that has no
# driver, that of virtio-mmio here, does not wait, and does not keep the module.

. /payload/lib.sh
. /payload/pci-arm64.sh
. /payload/wait-arm64.sh

BRIDGE=10000000.pcie

# A busy machine must not take 10 s to load the module.
guest_create kernel=newest memory=256 dtb=wait-pci-mmio append=deferred_probe_timeout=60 && guest_start || bail 'no guest'
signal_open
load "wait=0:$PORT,3"
ok $? 'the module loads, there is no backend'
like "$(deferred)" "$BRIDGE pci-host-generic: .*waits until domain 0 is ready" 'the host bridge waits'
is "$(said $BRIDGE)" 'waits until domain 0 is ready, by wait=' 'the log tells who says so'
signal_send
wait_for 10 guest "dmesg | grep 'event channel $PORT: an event, but domain 0 does not serve this guest: ignored'"
ok $? 'an event before there is a backend is ignored'
try_again $BRIDGE
is "$(deferred | wc -l)" 1 'it still waits, however often the kernel tries it'

# shellcheck disable=SC2046
qemu_start $(qemu_blk pci "$(at 1)") || bail 'no backend'
signal_send
transports 1
ok $? 'the event channel makes the bridge come up, with the disk behind it'
is "$(domain 0 signal)" "event channel $PORT" 'as debugfs says'
drivers blk
disk_works 'the disk'
no_drivers blk
ok $? 'the driver leaves'
signal_close
is "$(domain 3 state), $(domain 3 devices)" 'waiting, ' 'no device waits for domain 3'
nothing_left
done_testing
