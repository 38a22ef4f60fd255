# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What a request to a disk costs the whole machine. fio makes a few requests and then
# many: the difference is what so many requests cost, without that of starting fio.
#
# At depth 32 fio hands over 32 at a time and waits until all are done. With one
# processor for all, requests that it hands over one at a time would be served one at a
# time, whatever the depth.

# shellcheck source=tests/bench/bench.sh
. /payload/bench.sh

REPEATS=${REPEATS-3}

# fio_blk READ|WRITE KBYTES DEPTH REQUESTS
fio_blk()
{
	guest "fio --name=bench --filename=/dev/vda --direct=1 --ioengine=libaio --thread --gtod_reduce=1 \
		--rw=$1 --bs=${2}k --iodepth=$3 --iodepth_batch=$3 --iodepth_batch_complete_min=$3 \
		--number_ios=$4 --minimal >/run/fio 2>&1 || { cat /run/fio; false; }" ||
		bail 'fio failed'
}

# maps_all: of grants or else
maps_all()
{
	echo $(($(maps_grant) + $(maps_foreign)))
}

# blk NAME PATTERN KBYTES DEPTH REQUESTS: REQUESTS is a multiple of DEPTH
blk()
{
	local name=$1 i few=32 many=$((32 + $5)) time busy dom0 guest maps
	shift

	step "disk: $name"
	fio_blk "$1" "$2" "$3" "$few"
	for i in $(seq "$REPEATS"); do
		spent fio_blk "$1" "$2" "$3" "$few"
		time=$spent_time busy=$spent_busy dom0=$spent_dom0 guest=$spent_guest
		spent fio_blk "$1" "$2" "$3" "$many"
		value blk "$name" 'instructions per I/O' $(((spent_busy - busy) / $4))
		value blk "$name" 'of these in dom0' $(((spent_dom0 - dom0) / $4))
		value blk "$name" 'of these in the guest' $(((spent_guest - guest) / $4))
		value blk "$name" 'I/Os per second' $((1000000000 * $4 / (spent_time - time)))
	done

	backend_does 'trace-event xen_remap_bucket on'
	maps_mark
	fio_blk "$1" "$2" "$3" "$few"
	maps=$(maps_all)
	fio_blk "$1" "$2" "$3" "$many"
	backend_does 'trace-event xen_remap_bucket off'
	value blk "$name" 'backend maps per I/O' \
		"$(awk "BEGIN { print ($(maps_all) - 2 * $maps) / $4 }")"
}

# shellcheck disable=SC2046
bench_guest $(std_blk)
variant_load
drivers blk
blk 'random read 4 KiB, depth 1' randread 4 1 384
blk 'random read 4 KiB, depth 32' randread 4 32 960
[ -z "$QUICK" ] || { done_testing; exit; }
blk 'random read 4 KiB, depth 8' randread 4 8 480
blk 'random write 4 KiB, depth 1' randwrite 4 1 384
blk 'random write 4 KiB, depth 8' randwrite 4 8 480
blk 'random write 4 KiB, depth 32' randwrite 4 32 960
blk 'read 128 KiB, depth 1' read 128 1 192
blk 'read 1 MiB, depth 1' read 1024 1 24
done_testing
