# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=240
#
# Small pieces lie behind rings, in pages that QEMU has mapped anyway: a request takes one
# map, that of its data. Rings are made small enough for that, and the data is right.

. /payload/lib.sh

pattern=/payload/bin/pattern
LARGEST=70000

# maps_of COUNT COMMAND: how often QEMU maps for each of so many requests, times ten
maps_of()
{
	maps_mark
	guest "$2" >/dev/null || bail "failed: $2"
	echo $((10 * $(maps_grant) / $1))
}

# requests DEPTH COUNT [ARGUMENT]...: a command for the guest that reads at random
requests()
{
	local depth=$1 count=$2
	shift 2

	echo "fio --name=ring --filename=/dev/vda --direct=1 --ioengine=libaio --thread \
		--rw=randread --bs=4k --iodepth=$depth --number_ios=$count --minimal $*"
}

# right WHAT: the disk, from both sides
right()
{
	guest "$pattern write /dev/vda $LARGEST" >/dev/null && $pattern check "$DISK" $LARGEST &&
		guest "$pattern read /dev/vda $LARGEST"
	ok $? "$1: requests of all sizes are right on both sides"
	guest "fio --name=verify --filename=/dev/vda --direct=1 --ioengine=io_uring --thread \
		--rw=randrw --bssplit=512/30:4k/40:64k/30 --iodepth=32 --offset=32m --size=1m \
		--verify=crc32c --verify_fatal=1 --minimal >/tmp/fio 2>&1 || { cat /tmp/fio; false; }"
	ok $? "$1: with 32 at a time each finds what it wrote"
}

# ---- as the device says ----
load force_grant=1 ring_entries=0
ok $? 'the module loads with ring_entries=0'
drivers blk net rng
cmp_ok "$(maps_of 200 "$(requests 1 200)")" -ge 28 'without room behind rings a request takes three maps'
is "$(counter ring_total)" 0 'nothing lies behind rings'
no_drivers blk net rng
nothing_left

# ---- 256 entries ----
load force_grant=1
drivers blk net rng
cmp_ok "$(maps_of 200 "$(requests 1 200)")" -le 12 'with room a request takes one map'
cmp_ok "$(maps_of 320 "$(requests 8 320)")" -le 12 'eight at a time, too'
# 18 of them with all that they have find room, and 32 with their status bytes.
cmp_ok "$(maps_of 320 "$(requests 32 320 --iodepth_batch_complete_min=1)")" -le 20 \
	'32 that follow each other take less than two'
cmp_ok "$(maps_of 320 "$(requests 32 320 --iodepth_batch=32 --iodepth_batch_complete_min=32)")" -le 12 \
	'32 at a time take little more than one'
right 'with'
cmp_ok "$(counter ring_total)" -gt 1000 'pieces were behind rings'
net_up
ok $? 'the network works'
tcp_works 256
ping -q -A -c 300 -s 20 "$(guest_ip)" >/dev/null
ok $? 'so do many small packets'
is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
only_grants 'all this'

# ---- rings that go, with pieces behind them ----
# virtio_rng has a buffer in its queue, and forgets it.
guest 'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c | grep -q 256'
ok $? 'there are random numbers'
for name in blk rng; do
	for _ in 1 2 3; do
		guest "cd /sys/bus/virtio/drivers/virtio_$name && d=\$(ls -d virtio*) && echo \$d >unbind && echo \$d >bind"
	done
	ok $? "virtio_$name is unbound and bound again and again"
done
wait_for 5 guest '[ -b /dev/vda ]'
cmp_ok "$(maps_of 200 "$(requests 1 200)")" -le 12 'again a request takes one map'
no_drivers blk net rng
all_back
nothing_left
done_testing
