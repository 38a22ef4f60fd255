# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# An xgd-backend that does wrong what it is told to. Source it after own.sh.

CONTROL=/run/control

# hostile_start [OPTION]...: in place of the backend that serves the standard devices
hostile_start()
{
	backend_kill "${SIGNAL-TERM}"
	rm -f $CONTROL
	mkfifo $CONTROL
	# shellcheck disable=SC2046
	backend_start --control $CONTROL $(std_blk) $(std_net) $(std_rng) "$@" || bail 'no backend'
}

# tell WORD...: have the backend do that (see tests/backend/xgd-backend/attack.c), and
# pass on the result
tell()
{
	local before log

	log=$(guest_get log)
	before=$(grep -c '^done ' "$log")
	echo "$*" >$CONTROL
	wait_for 20 told "$log" "$before" || bail "the backend does not do: $*"
	sed -n "s/^done $*: //p" "$log" | tail -n 1
}

told()
{
	[ "$(grep -c '^done ' "$1")" -gt "$2" ]
}

# vdev blk|net|rng: the virtio device, in a command for the guest
vdev()
{
	echo "\$(ls /sys/bus/platform/devices/$(name_of "$1") | grep ^virtio)"
}

# unbind NAME / bind NAME / rebind NAME: the driver of a standard device
unbind()
{
	guest "echo $(vdev "$1") >/sys/bus/virtio/drivers/virtio_$1/unbind"
}

bind()
{
	guest "echo $(vdev "$1") >/sys/bus/virtio/drivers/virtio_$1/bind"
}

rebind()
{
	guest "cd /sys/bus/virtio/drivers/virtio_$1 && echo $(vdev "$1") >unbind && echo $(vdev "$1") >bind"
}

# works NAME: does a standard device do what it is for?
works()
{
	case $1 in
	blk)	wait_for 5 guest '[ -b /dev/vda ]' && [ "$(guest_sum 512)" = "$(disk_sum 512)" ] ;;
	net)	net_up >/dev/null ;;
	rng)	guest 'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c | grep -q 256' ;;
	esac
}

# ---- a network whose backend keeps what it has mapped -------------------------

dd if=/dev/urandom of=/run/data bs=1k count=160 2>/dev/null
sum=$(md5sum </run/data)

# grow_net: after so many large packets each buffer that virtio_net gives away is a
# page, but those that have not been used since
grow_net()
{
	ip link set "tap-$GUEST" mtu 9000
	ping -q -s 8000 -c 200 -i 0.01 "$(guest_ip)" >/dev/null
}

# attack_net: to the packets that have come, and that nobody has read yet. Told is
# the checksum of what is read in the end.
attack_net()
{
	guest 'rm -f /tmp/pipe /tmp/go /tmp/sum; mkfifo /tmp/pipe'
	guest "{ $(receive 7 /tmp/pipe); } &
		{ while [ ! -e /tmp/go ]; do usleep 50000; done; md5sum; } </tmp/pipe >/tmp/sum 2>/dev/null &"
	wait_for 20 timeout 60 nc "$(guest_ip)" 7 </run/data &
	sender=$!
	sleep 3
	tell scribble >/dev/null
	guest ': >/tmp/go'
	wait $sender
	wait_for 20 guest '[ -s /tmp/sum ]'
	guest 'cat /tmp/sum'
}

# packets_stay: what the guest has received does not change, whatever the backend keeps
packets_stay()
{
	hostile_start
	load 'backend=*=0'
	drivers blk net && net_up && grow_net
	ok $? 'a backend that keeps buffers of the network is there'
	tell keep
	is "$(attack_net)" "$sum" 'and can change no packet that has come'
	tell release
	no_drivers blk net
	all_back
	nothing_left
}
