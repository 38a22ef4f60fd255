# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=300
#
# A backend that completes nothing any more, or that is killed at work and started
# again. Who waits for it is the driver; the guest is not.

. /payload/lib.sh
. /payload/own.sh
. /payload/attack.sh

devices=/sys/kernel/debug/xen_grant_dma/devices

hostile_start
load 'backend=*=0'
drivers blk net rng
net_up

# ---- never completed ----
tell hang rng0
guest 'timeout 2 dd if=/dev/hwrng of=/dev/null bs=64 count=4 2>/dev/null'
isnt $? 0 'rng: a backend that hangs gives no random numbers'
unbind rng
ok $? 'rng: the driver is unbound all the same'
tell hang net0
guest "ping -c 2 -W 1 $(host_ip) >/dev/null"
isnt $? 0 'net: nor packets'
unbind net
ok $? 'net: the driver is unbound all the same'
tell hang blk0
guest 'dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &'
guest "{ echo $(vdev blk) >/sys/bus/virtio/drivers/virtio_blk/unbind; echo \$? >/run/unbound; } >/dev/null 2>&1 &"
sleep 2
isnt "$(guest 'cat /run/unbound 2>/dev/null')" 0 'blk: the driver waits for its request'
tell none rng0
bind rng && works rng
ok $? 'the guest does not: rng works again'
tell none net0
bind net && works net
ok $? 'and so does net'
tell none blk0
wait_for 10 guest '[ -s /run/unbound ]'
is "$(guest 'cat /run/unbound')" 0 'blk: once the request is completed the driver goes'
bind blk && works blk
ok $? 'and comes back'

# ---- killed at work ----
# revive: a new backend, and whoever waits for the old one goes on
revive()
{
	local server

	server=$(sed -n 's/^ready as ioreq server //p' "$(guest_get log)")
	SIGNAL=KILL hostile_start
	/payload/bin/ioreq_wake "$(guest_id)" "$server"
	guest 'echo alive'
}

guest "ping -i 0.05 -s 1400 $(host_ip) >/dev/null 2>&1 & echo \$! >/run/ping
	dd if=/dev/hwrng of=/dev/null bs=64 2>/dev/null & echo \$! >/run/dd"
sleep 1
is "$(revive)" alive 'killed under load: with a new backend the guest goes on'
guest 'kill $(cat /run/ping /run/dd)'
for device in rng net blk; do
	rebind $device && works $device
	ok $? "$device works with its driver bound anew"
done

# ---- all goes ----
no_drivers blk net rng
ok $? 'the drivers leave'
nothing_left

# ---- killed with a request of a disk under way ----
load 'backend=*=0'
drivers blk rng
tell hang blk0
guest 'dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &'
sleep 1
is "$(revive)" alive 'killed with a read under way: the guest goes on'
rebind rng && works rng
ok $? 'and so do other devices'
diag "the disk, whose driver waits for ever: $(guest "cat $devices" | xargs)"
clean_dmesg 'the kernel has nothing to complain of'
done_testing
