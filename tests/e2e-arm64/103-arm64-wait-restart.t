# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=150
#
# What docs/waiting.md says of a backend that goes away after it was ready, and comes
# back: its devices stall, and work again once they have been unbound and bound.

. /payload/lib.sh
. /payload/wait-arm64.sh

# What serves the devices of the tree.
new_backend()
{
	# shellcheck disable=SC2046
	backend_start $(std_blk) $(std_net) $(std_rng) || bail 'no backend'
	maps_mark
}

# bind_again: the transports of two of them
bind_again()
{
	guest 'cd /sys/bus/platform/drivers/virtio-mmio && for device in 2000000.virtio 2000400.virtio; do
			echo $device >unbind || exit
			echo $device >bind || exit
		done' 40
}

rng_works()
{
	guest 'dd if=/dev/hwrng bs=64 count=16 2>/dev/null | wc -c'
}

guest_create dtb=iommus vcpus=2 && guest_start || bail 'no guest'
load wait=0 wait_timeout=2 wait_then=probe
new_backend
drivers blk rng
is_up $FIRST
ok $? 'after wait_timeout= devices are probed, as wait_then=probe says'
is "$(domain 0 signal)" 'wait_timeout=' 'debugfs tells that nobody has said that the domain is ready'
disk_works 'the disk'

# ---- it dies when nothing is to be done ----
# The kernel itself reads random numbers now and then.
xl pause "$(guest_id)"
backend_kill KILL
wait_for 5 eval '! backend_alive'
is "$(grants)" '' 'a backend that is killed maps nothing'
new_backend
xl unpause "$(guest_id)"
is "$(domain 0 state)" ready 'its domain stays ready'
guest 'dd if=/dev/hwrng of=/tmp/random bs=4096 count=1 2>/dev/null; echo $? >/tmp/stalled' 1 >/dev/null
is "$(guest 'cat /tmp/stalled 2>/dev/null')" '' 'a new one knows nothing of the devices: requests stall'
bind_again
ok $? 'they are unbound and bound'
disk_works 'the disk, again'
is "$(rng_works)" 1024 'random numbers, again'

# ---- it dies, and the guest touches a window ----
# From then on a processor stands still, and soon, waiting for it, the other, too.
guest '(usleep 1000000; dd if=/dev/hwrng of=/dev/null bs=4096 count=1 2>/dev/null) &'
backend_kill KILL
usleep 2000000
new_backend
# Xen keeps the servers of those that were killed.
is "$(/payload/bin/ioreq_bury "$(guest_id)" 0) $(/payload/bin/ioreq_bury "$(guest_id)" 1)" '0 1' \
	'one waits for the second of the dead, until dom0 answers in its place'
bind_again
ok $? 'the devices are unbound and bound'
disk_works 'the disk, once more'
is "$(rng_works)" 1024 'random numbers, once more'

# ---- it is restarted in order ----
guest 'cd /sys/bus/platform/drivers/virtio-mmio && echo 2000000.virtio >unbind && echo 2000400.virtio >unbind'
backend_kill TERM
wait_for 5 eval '! backend_alive'
new_backend
guest 'cd /sys/bus/platform/drivers/virtio-mmio && echo 2000000.virtio >bind && echo 2000400.virtio >bind'
ok $? 'a restart while the devices are unbound'
disk_works 'the disk, after that'

no_drivers blk rng
ok $? 'the drivers leave'
nothing_left
done_testing
