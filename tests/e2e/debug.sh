# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# With the debug kernel each case ends with one more question: has any of the
# kernel's checkers anything to say? lib.sh sources this.

# Each report of DMA debugging counts, not just the first.
DEBUG_START='echo 1 >/sys/kernel/debug/dma-api/all_errors'
[ -z "$(guest_id)" ] || guest "$DEBUG_START"

# Reports that begin so are of the kernel's own bugs, which a case happens to show.
KNOWN='no such line'

# reports: what the checkers have said since the guest's first process began, of each
# some lines. dmesg -c does not clear this. That a backend is late is no bug.
reports()
{
	# Only cat has room for all lines; it would wait for more.
	guest '(timeout 2 cat /dev/kmsg; true) 2>/dev/null | awk "
			/Run .init as init process/	{ text = \"\"; next }
			/'"$KNOWN"'/			{ known = 60 }
			known > 0			{ known = /<.TASK>/ ? 0 : known - 1; next }
			/WARNING: g.e. .* still in use/	{ next }
			/WARNING:|BUG:|INFO: |Oops|UBSAN:|ODEBUG:|DMA-API:|Call Trace|suspicious|possible recursive|inconsistent lock|blocked for more/ {
				more = 30
			}
			more-- > 0			{ sub(/^[0-9,-]*;/, \"\"); text = text \$0 \"\\n\" }
			END				{ printf \"%s\", text }"'
}

# Those that are to be at work from beginning to end.
CHECKERS='lockdep DMA kmemleak'

# checkers: those that are at work. Some stop when they have found something, or run
# out of memory.
checkers()
{
	guest 'awk "/debug_locks:/ && \$2 { print \"lockdep\" }" /proc/lockdep_stats
		[ "$(cat /sys/kernel/debug/dma-api/disabled)" = N ] && echo DMA
		echo scan=off >/sys/kernel/debug/kmemleak && echo kmemleak'
}

# lost: memory that nothing leads to. Two looks: what changes meanwhile is in use.
lost()
{
	guest 'for i in 1 2; do
			[ $i -eq 1 ] || sleep 6
			echo scan >/sys/kernel/debug/kmemleak
		done
		cat /sys/kernel/debug/kmemleak' 120
}

FAULTS_MAX=1000000000

# faults PERCENT: so many of all requests for memory fail, of any sort, that are made
# by a task that allows it; of other tasks the one that fail-nth names
faults()
{
	guest "for each in failslab fail_page_alloc; do
			cd /sys/kernel/debug/\$each || exit
			echo Y >task-filter
			echo N >ignore-gfp-wait
			echo 0 >verbose
			echo $FAULTS_MAX >times
			echo $1 >probability
		done
		echo 0 >min-order"
}

# faults_told: how many have failed since then, of kmalloc() and of the page allocator
faults_told()
{
	guest "for each in failslab fail_page_alloc; do
			echo \$(($FAULTS_MAX - \$(cat /sys/kernel/debug/\$each/times)))
		done" | xargs
}

last_checks()
{
	is "$(checkers | xargs)" "$CHECKERS" 'the checkers of the debug kernel are at work'
	is "$(lost)" '' 'no memory is lost'
	is "$(reports)" '' 'no checker has anything to report'
}
