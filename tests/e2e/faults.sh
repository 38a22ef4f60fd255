# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# Requests for memory that fail, in a guest with the debug kernel: those that the
# module makes. Code of the kernel's own that is refused some, as that for interrupts,
# breaks. Source it after fake.sh.

# The checks of the DMA API need memory themselves, and stop where there is none.
CHECKERS='lockdep kmemleak'

# faults_boot: a guest of which all that kmalloc() and the page allocator give can
# fail; not what kmemleak notes down
faults_boot()
{
	guest_boot append=dma_debug=off || bail 'no guest'
	faults 0
	guest 'echo Y >/sys/kernel/debug/failslab/cache-filter
		for each in /sys/kernel/slab/kmalloc-*; do echo 1 >$each/failslab || exit; done'
	ok $? 'requests for memory can be made to fail'
	guest "$DEBUG_START; dmesg -n 1"
	FAULTS_MEMORY=$(memory_free)
	FAULTS_REFERENCES=$(all_references)
	MAPPED=0 FAILED=0
}

# faults_maps CYCLES THOUSANDS [LIMIT...]: a device is bound that often, each time to
# map that much
faults_maps()
{
	local cycles=$1 thousands=$2 said

	shift 2
	load "backend='*=0'" "$@"
	guest 'dmesg -c >/dev/null'
	fake_load mode=churn faults=1 churn="$thousands" seed="$MAPPED"
	guest "cd /sys/bus/virtio/drivers/xgd_fake || exit
		device=\$(echo virtio[0-9]*)
		for i in \$(seq 2 $cycles); do
			echo \$device >unbind && echo \$device >bind || exit
		done" 1800
	ok $? "${*:-no limits}: bound $cycles times, for $thousands thousand mappings"
	said=$(guest 'dmesg' | sed -n 's/.*xgd_fake: churn: //p')
	is "$(echo "$said" | grep -c 'data right$')" "$cycles" "${*:-no limits}: no data changes" "$(echo "$said" | tail -n 3)"
	MAPPED=$((MAPPED + $(echo "$said" | awk '{ n += $1 } END { print n + 0 }')))
	FAILED=$((FAILED + $(echo "$said" | awk '{ n += $3 } END { print n + 0 }')))
	fake_unload
	is "$(guest 'cat /sys/kernel/debug/xen_grant_dma/devices')" '' 'nothing is left of them'
	unload
}

# faults_binds: bind a device, each time with another one failing of the requests for
# memory that setting it up makes; all of them in turn
faults_binds()
{
	local said

	load "backend='*=0'"
	fake_load mode=churn churn=1
	said=$(guest "cd /sys/bus/virtio/drivers/xgd_fake || exit
		device=\$(echo virtio[0-9]*)
		echo \$device >unbind
		n=0 bound=0 refused=0 left=0
		until [ \$left -ne 0 ]; do
			n=\$((n + 1))
			echo \$n >/sys/module/xgd_fake/parameters/fail
			echo \$device >bind
			read -r left </sys/module/xgd_fake/parameters/fail
			if [ -e \$device ]; then
				bound=\$((bound + 1))
				echo \$device >unbind
			else
				refused=\$((refused + 1))
			fi
			[ -z \"\$(cat /sys/kernel/debug/xen_grant_dma/devices)\" ] || exit
		done 2>/dev/null
		echo \$bound \$refused" 300)
	like "$said" '^[1-9][0-9]* [1-9][0-9]*$' 'a device is bound, or refused, and leaves nothing, whatever request fails'
	diag "bound ${said% *} times, refused ${said#* } times"
	fake_unload
	unload
}

# The kernel's own words about memory that it does not get.
KNOWN='insmod: vmalloc error'

# faults_loads STEP: load the module, each time with another one failing of the requests
# for memory that this makes: the STEP-th, the 2 * STEP-th ... insmod then tries again.
faults_loads()
{
	local said

	said=$(guest "cd /sys/kernel/debug
		left() { read -r slab <failslab/times; read -r page <fail_page_alloc/times; echo \$((slab + page)); }
		n=0 before=
		until [ \"\$(left)\" = \"\$before\" ]; do
			n=\$((n + 1)) before=\$(left)
			(echo \$((n * $1)) >/proc/self/fail-nth; exec insmod $(module xen_grant_dma) backend='*=0')
			rmmod xen_grant_dma || exit
		done 2>/dev/null
		echo \$n" 1800)
	cmp_ok "${said:-0}" -gt 1 'the module comes and goes, whatever request fails'
	diag "loaded $said times"
}

# faults_end: all is as it was
faults_end()
{
	local now

	diag "$MAPPED mappings, $FAILED that failed"
	diag "$(faults_told) requests for memory failed, of kmalloc() and of the page allocator"
	cmp_ok "$FAILED" -gt $((MAPPED / 1000)) 'some mappings failed'
	faults 0
	is "$(all_references)" "$FAULTS_REFERENCES" 'there are as many references as before'
	is "$(probe)" '' 'dom0 can map nothing'
	now=$(memory_free)
	diag "MemFree: $FAULTS_MEMORY KiB, now $now KiB"
	cmp_ok $((FAULTS_MEMORY - now)) -lt 4096 'less than 4 MiB of memory went somewhere'
}
