# SPDX-License-Identifier: GPL-2.0-only
# rig: snapshot=guest timeout=2400
#
# Ten million mappings of any size, alignment and direction, by the DMA API, beside
# a disk at work; half of them with so few references and private pages that many
# fail.

. /payload/lib.sh
. /payload/fake.sh

before=$(all_references)
memory=$(memory_free)
mapped=0 failed=0
for limits in '' 'max_refs=1024 bounce_kb=1024'; do
	# shellcheck disable=SC2086
	load "backend='*=0'" $limits
	for seed in 1 2 3 4 5; do
		guest "dmesg -c >/dev/null; insmod /payload/stable/xgd_fake.ko mode=churn churn=1000 seed=$seed" 900
		said=$(guest 'dmesg | sed -n "s/.*xgd_fake: churn: //p"')
		like "$said" 'data right' "${limits:-no limits}: a million mappings ($seed)"
		diag "$said"
		mapped=$((mapped + $(echo "$said" | cut -d' ' -f1)))
		failed=$((failed + $(echo "$said" | cut -d' ' -f3)))
		fake_unload
		is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'nothing is left of them'
	done
	unload
done
diag "$mapped mappings, $failed that failed"
cmp_ok "$failed" -gt 1000 'some of them failed'
is "$(all_references)" "$before" 'there are as many references as before'
now=$(memory_free)
diag "MemFree: $memory KiB, now $now KiB"
cmp_ok $((memory - now)) -lt 4096 'less than 4 MiB of memory went somewhere'
is "$(probe)" '' 'dom0 can map nothing'
clean_dmesg 'the kernel has nothing to complain of'
done_testing
