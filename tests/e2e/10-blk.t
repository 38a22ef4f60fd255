# SPDX-License-Identifier: GPL-2.0-only
# rig: arch=both snapshot=guest timeout=150
#
# A disk over grants: requests of all sizes, from buffers at all offsets, many at a
# time. What is on the disk knows its place, so that dom0 can tell whether it is
# right from nothing but the file behind it.

. /payload/lib.sh

pattern=/payload/bin/pattern

load force_grant=1
ok $? 'the module loads'
drivers blk
ok $? 'the driver loads'
maps_mark

like "$(guest "$pattern write /dev/vda")" '^[0-9]+$' \
	'the guest writes requests from 512 bytes to 1 MiB, also from the middle of pages'
$pattern check "$DISK"
ok $? 'dom0 finds them in the file'
guest "$pattern read /dev/vda"
ok $? 'the guest reads them back, and nothing beside them is written'

# fio does the same with many requests at a time, in blocks that it finds again by
# their checksums.
jobs="--minimal --thread --stonewall --verify=crc32c --verify_fatal=1 --rw=write \
	--bssplit=512/60:4k/20:16k/10:64k/5:128k/5 \
	--name=1-at-a-time --ioengine=psync --offset=32m --size=512k \
	--name=32-at-a-time --ioengine=io_uring --iodepth=32 --offset=33m --size=2m"
guest "fio --filename=/dev/vda --direct=1 $jobs >/tmp/fio 2>&1 || { cat /tmp/fio; false; }"
ok $? 'what the guest writes one at a time and 32 at a time it can read'
# shellcheck disable=SC2086
fio --filename="$DISK" --verify_only $jobs >/tmp/fio 2>&1
ok $? 'dom0 finds it in the file' "$(cat /tmp/fio)"

only_grants 'all this'
is "$(counter failed) $(counter refused)" '0 0' 'no mapping failed'
no_drivers blk
ok $? 'the driver leaves'
nothing_left
done_testing
