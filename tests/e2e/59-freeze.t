# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=300
#
# The guest freezes its devices and thaws them (pm_test), while a disk is at work:
# the drivers delete their queues and make new ones. A driver that keeps its mappings
# has them afterwards, and the log tells of it.

. /payload/lib.sh
. /payload/fake.sh

# kept: of which devices the log tells that, each time: "DEVICE MAPPINGS DOMID"
kept()
{
	guest dmesg | sed -En 's/^.* (.*): xen_grant_dma: its driver kept ([0-9]+) mappings for domain ([0-9]+) .*/\1 \2 \3/p'
}

load "backend='*=0'"
drivers blk net rng
net_up
fake_load mode=pieces
buffers=$(guest dmesg | sed -n 's/.*xgd_fake: \([0-9]*\) buffers are mapped.*/\1/p')
seen=$(probe 2048 0 -d | grep xgd-handed)
cmp_ok "$(echo "$seen" | wc -l)" -gt 100 'a device without power management has its buffers mapped'
maps_mark

guest 'fio --name=freeze --filename=/dev/vda --rw=randrw --bs=4k --iodepth=8 --ioengine=libaio --direct=1 \
	--size=4m --loops=1000 --runtime=12 --time_based --verify=crc32c --verify_fatal=1 >/tmp/fio.log 2>&1 &
	echo 1 >/sys/module/suspend/parameters/pm_test_delay'
for test in freezer devices devices; do
	guest "echo $test >/sys/power/pm_test && echo freeze >/sys/power/state" 100
	ok $? "frozen and thawed: $test"
done
is "$(guest 'dmesg | grep -c "PM: suspend exit"')" 3 'three times'
is "$(kept | xargs)" "xgd-fake $buffers 0 xgd-fake $buffers 0" \
	'the two times that devices were frozen, too, the log tells who kept what; and of nobody else'
wait_for 60 guest '[ -z "$(pidof fio)" ]'
is "$(guest 'grep -c "err= 0" /tmp/fio.log')" 1 'the disk went on, and fio finds all its data' "$(guest 'tail -n 5 /tmp/fio.log')"
ping -q -c 3 "$(guest_ip)" >/dev/null
ok $? 'so did the network'
guest 'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c | grep -q 256'
ok $? 'and random numbers'
only_grants 'all this'
is "$(probe 2048 0 -d | grep xgd-handed)" "$seen" 'what a driver kept mapped can be seen as before'
fake_unload
fake_told 'after all this'
no_drivers blk net rng
ok $? 'the drivers leave'
nothing_left
done_testing
