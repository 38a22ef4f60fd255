# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the calls of the DMA API cost in the guest, on a device of our own.

# shellcheck source=tests/bench/bench.sh
. /payload/bench.sh

step 'DMA API'
variant_load
guest 'insmod /payload/stable/xgd_fake.ko mode=micro' || bail 'no measurement'
guest 'dmesg' | sed -n 's/^.*xgd_fake: micro //p' | while IFS='|' read -r what held median low high; do
	for each in "$median" "$low" "$high"; do
		value micro "$what, $held held" instructions "$each"
	done
done
done_testing
