# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=arm64 snapshot=dom0 timeout=150
#
# Two processors and a disk with a queue for each, at the same time.

. /payload/lib.sh

guest_create vcpus=2 || bail 'no guest'
# shellcheck disable=SC2046
backend_start $(std_blk queues=2) $(std_net) $(std_rng) && guest_start || bail 'it does not start'
is "$(guest 'grep -c ^processor /proc/cpuinfo')" 2 'the guest has two processors'
load 'backend=*=0'
ok $? 'the module loads'
drivers blk
maps_mark
is "$(guest 'ls /sys/block/vda/mq | wc -l')" 2 'the disk has two queues'

trace=/sys/kernel/tracing
guest "echo 1 >$trace/events/block/block_rq_issue/enable"

# Each processor writes its own part of the disk, with many requests at a time.
jobs="--minimal --thread --verify=crc32c --verify_fatal=1 --rw=randwrite
	--ioengine=io_uring --iodepth=16 --bssplit=512/30:4k/30:16k/20:64k/20
	--name=cpu0 --cpus_allowed=0 --offset=0 --size=2m
	--name=cpu1 --cpus_allowed=1 --offset=32m --size=2m"
guest "fio --filename=/dev/vda --direct=1 $(echo "$jobs" | xargs) >/tmp/fio 2>&1 || { cat /tmp/fio; false; }" 90
ok $? 'what both write at the same time they can read'
# shellcheck disable=SC2046
fio --filename="$DISK" --verify_only $(echo "$jobs" | sed 's/--cpus_allowed=.//') >/tmp/fio 2>&1
ok $? 'dom0 finds it in the file' "$(cat /tmp/fio)"
is "$(guest "grep -o '\[00[01]\]' $trace/trace | sort -u | xargs")" '[000] [001]' 'both processors had requests'
only_grants 'all this'
is "$(backend_sum failures)" 0 'each address that the backend saw was good'
is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
no_drivers blk
ok $? 'the driver leaves'
nothing_left
done_testing
