# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 kernels=oldest timeout=120
#
# Linux 6.1 waits, too. The module comes late, as deferred_probe_timeout=-1 allows,
# leaves, and comes again: an event that nobody was there to see is not lost.

. /payload/lib.sh
. /payload/wait-arm64.sh

guest_create kernel=oldest dtb=mmio append=deferred_probe_timeout=-1 && guest_start || bail 'no guest'
signal_open

guest 'modprobe virtio_mmio && modprobe virtio_blk && usleep 12000000'
try_again $FIRST
is "$(deferred | wc -l)" 1 'the device waits for the module, for more than 10 s'
load "wait=0:$PORT"
ok $? 'the module loads'
like "$(deferred)" "$FIRST virtio-mmio: .*waits until domain 0 is ready" 'the device waits for its backend'
try_again $FIRST
is "$(deferred | wc -l)" 1 'however often the kernel tries it again'
signal_send
wait_for 10 guest "dmesg | grep 'event channel $PORT: an event, but domain 0 does not serve this guest: ignored'"
ok $? 'an event before there is a backend is ignored'

# shellcheck disable=SC2046
backend_start $(std_blk) || bail 'no backend'
maps_mark
signal_send
is_up $FIRST
ok $? 'the event channel makes the device come up'
disk_works 'the disk'
guest 'rmmod virtio_blk && rmmod virtio_mmio' && unload
ok $? 'the drivers and the module leave'

signal_send
load "wait=0:$PORT" && drivers blk
is_up $FIRST
ok $? 'an event while the module was not there counts when it is back'
disk_works 'the disk, again'
no_drivers blk
ok $? 'the driver leaves'
signal_close
nothing_left
done_testing
