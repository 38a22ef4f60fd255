# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What a request to a disk costs the whole machine. fio makes a few requests and then
# many: the difference is what so many requests cost, without that of starting fio.
#
# At a depth of N fio hands over N requests at a time and waits until all are done; where
# it is steady, it waits for one, and hands over as many as it finds done then. With one
# processor for all, requests that it hands over one at a time are served one at a time.

# shellcheck source=tests/bench/bench.sh
. /payload/bench.sh

REPEATS=${REPEATS:-3}
FEW=32
DEVICE=/dev/vda

SCATTERED=/run/scattered

# scatter: memory for fio of which no page has its neighbour beside it
scatter()
{
	guest "for first in 0 1; do
		for i in \$(seq \$first 2 271); do
			dd if=/dev/zero of=$SCATTERED bs=4k count=1 seek=\$i conv=notrunc 2>/dev/null
		done
	done" 60 || bail 'no memory'
}

# fio_blk PATTERN KBYTES DEPTH REQUESTS [steady|scattered]: the memory is in one piece, as
# otherwise chance would decide in how many a long request is; or each page is by itself
fio_blk()
{
	local memory=shmhuge batch="--iodepth_batch=$3 --iodepth_batch_complete_min=$3"

	case ${5-} in
	steady)		batch="--iodepth_batch=$3 --iodepth_batch_complete_min=1 --iodepth_batch_complete_max=$3" ;;
	scattered)	memory=mmapshared:$SCATTERED ;;
	esac
	guest "fio --iomem=$memory --name=bench --filename=$DEVICE --direct=1 --ioengine=libaio --thread --gtod_reduce=1 \
		--rw=$1 --bs=${2}k --iodepth=$3 $batch --number_ios=$4 --minimal >/run/fio 2>&1 || { cat /run/fio; false; }" 600 ||
		bail 'fio failed'
}

# mapped COMMAND...: how often the backend maps meanwhile, into $mapped
mapped()
{
	case $VARIANT in
	pv*)	"$@" ;;
	own*)	mapped=$(backend_stat blk0 maps)
		"$@"
		mapped=$(($(backend_stat blk0 maps) - mapped)) ;;
	*)	backend_does "trace-event $EVENT on"
		maps_mark
		"$@"
		backend_does "trace-event $EVENT off"
		mapped=$(($(maps_grant) + $(maps_foreign))) ;;
	esac
}

# blk NAME PATTERN KBYTES DEPTH REQUESTS [steady|scattered]: REQUESTS is a multiple of DEPTH
blk()
{
	local name=$1 how=${6-} few=$FEW i many many_mapped few_busy few_dom0 few_guest
	shift

	echo "$name" | grep -Eq "${ONLY:-.}" || return 0

	# Foreign maps cost ten times as much.
	many=$4
	[ "$VARIANT" != none ] || many=$((many / 4))
	[ "$2" -lt 1024 ] || few=8
	step "disk: $name"
	# The first run finds nothing in caches, and nothing that the backend has kept.
	mapped fio_blk "$1" "$2" "$3" $((few + many)) "$how"
	many_mapped=$mapped
	spent fio_blk "$1" "$2" "$3" $few "$how"
	few_busy=$spent_busy few_dom0=$spent_dom0 few_guest=$spent_guest
	for i in $(seq "$REPEATS"); do
		spent fio_blk "$1" "$2" "$3" $((few + many)) "$how"
		value blk "$name" 'instructions per I/O' $(((spent_busy - few_busy) / many))
		value blk "$name" 'instructions per I/O in dom0' $(((spent_dom0 - few_dom0) / many))
		value blk "$name" 'instructions per I/O in the guest' $(((spent_guest - few_guest) / many))
		value blk "$name" 'I/Os per second' "$(guest 'awk -F\; "{ print \$8 + \$49 }" /run/fio')"
	done
	case $VARIANT in
	pv*)	return ;;
	esac
	mapped fio_blk "$1" "$2" "$3" $few "$how"
	value blk "$name" 'backend maps per I/O' "$(awk "BEGIN { print ($many_mapped - $mapped) / $many }")"
}

# pv_disk 0|1 disabled|enabled: persistent grants; the same file, served by xen-blkback
pv_disk()
{
	modprobe loop
	losetup /dev/loop0 "$DISK"
	echo "$1" >/sys/module/xen_blkback/parameters/feature_persistent
	xl block-attach "$GUEST" format=raw,vdev=xvdc,access=rw,backendtype=phy,script=/tools/rig/block-hotplug,target=/dev/loop0 &&
		wait_for 20 guest '[ -b /dev/xvdc ]' || bail 'no disk'
	DEVICE=/dev/xvdc
	like "$(guest dmesg)" "xvdc: .* persistent grants: $2;" "its persistent grants are $2"
}

keep=
[ "$VARIANT" != patched-kept ] || keep='-machine keep-grants=4096'
# shellcheck disable=SC2046,SC2086
bench_guest $keep $(std_blk "$(blk_options)") $(std_net) $(std_rng)
case $VARIANT in
own*)		own_backend; variant_load; drivers blk ;;
pv)		pv_disk 0 disabled ;;
pv-persistent)	pv_disk 1 enabled ;;
*)		variant_load; drivers blk ;;
esac
guest 'echo 8 >/proc/sys/vm/nr_hugepages'
scatter
if [ -n "${PROFILE-}" ]; then
	cat /proc/kallsyms >/var/log/kallsyms
	cat /proc/modules >/var/log/modules-dom0
	guest 'cat /proc/modules' >/var/log/modules-guest
	fio_blk randread 4 "$PROFILE" $FEW
	step 'sample'
	fio_blk randread 4 "$PROFILE" 4096
	step 'sampled'
	done_testing
	exit
fi
memory_idle disk
blk 'random read 4 KiB, depth 1' randread 4 1 384
blk 'random read 4 KiB, depth 32' randread 4 32 960
if [ -z "$QUICK" ]; then
	blk 'random read 4 KiB, steady depth 32' randread 4 32 480 steady
	blk 'random read 4 KiB, depth 8' randread 4 8 480
	blk 'random write 4 KiB, depth 1' randwrite 4 1 384
	blk 'random write 4 KiB, depth 8' randwrite 4 8 480
	blk 'random write 4 KiB, depth 32' randwrite 4 32 960
	blk 'read 128 KiB, depth 1' read 128 1 192
	blk 'read 1 MiB, depth 1' read 1024 1 24
	blk 'read 128 KiB, scattered pages, depth 1' read 128 1 96 scattered
	blk 'read 1 MiB, scattered pages, depth 1' read 1024 1 16 scattered
fi
memory_peak disk
done_testing
