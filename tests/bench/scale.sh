# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# How mappings go on several processors at once, each with a buffer of its own. This is
# real time: it says something only on a host with nothing else to do.

# shellcheck source=tests/bench/bench.sh
. /payload/bench.sh

# scale WHAT CPUS: mappings per ms
scale()
{
	guest 'dmesg' | sed -n "s/^.*xgd_fake: scale $1|$2|//p"
}

cpus=$(nproc)
guest_boot vcpus="$cpus" || bail 'no guest'
variant_load
step "DMA API on 1 to $cpus processors"
repeats=3
# The third time the in-tree module gives the device plain addresses.
[ "$VARIANT" != intree ] || repeats=2
for i in $(seq $repeats); do
	guest 'dmesg -c >/dev/null; insmod /payload/stable/xgd_fake.ko mode=scale && rmmod xgd_fake' 300 ||
		bail 'no measurement'
	for what in 'map 16 B' 'map 4 KiB' 'map 64 KiB'; do
		for n in 1 2 4; do
			[ $n -gt "$cpus" ] ||
				value scale "$what, $n vCPUs" 'mappings per ms' "$(scale "$what" $n)"
		done
	done
done
done_testing
