# SPDX-License-Identifier: GPL-2.0-only
# rig: kernel=debug snapshot=guest timeout=120
#
# The test of the tests: in the debug kernel a bug of each kind is found.

. /payload/lib.sh

# Reports are what this case is for.
last_checks()
{
	:
}

is "$(checkers | xargs)" 'lockdep DMA kmemleak' 'the checkers are at work'
is "$(reports)" '' 'they have nothing to say at first'
is "$(lost)" '' 'and no memory is lost'

# planted BUG REGEX NAME: what the kernel says of a bug
planted()
{
	guest "dmesg -c >/dev/null; insmod $(module xgd_bug) bug=$1 && rmmod xgd_bug"
	like "$(guest dmesg)" "$2" "$3"
}

# The first: lockdep ends its work with any report of its own or of KASAN.
planted lock-order 'WARNING: possible circular locking dependency' 'two locks taken in both orders'
is "$(checkers | xargs)" 'DMA kmemleak' 'lockdep then has done its work'

load force_grant=1 && drivers blk
planted dma-size 'DMA-API: .* frees DMA memory with different size' 'a buffer that is unmapped with another size'
planted dma-leak 'xgd_bug: mapped' 'a buffer that is mapped over grants'
no_drivers blk && unload
guest "echo $(name_of blk) >$TRANSPORT_DRIVER/unbind"
like "$(guest dmesg)" 'DMA-API: .* device driver has pending DMA allocations' 'and never unmapped'

planted use-after-free 'BUG: KASAN: slab-use-after-free in .*xgd_bug' 'memory that is used after it was freed'
planted out-of-bounds 'BUG: KASAN: slab-out-of-bounds in .*xgd_bug' 'or beyond its end'
planted page-after-free 'BUG: KASAN: use-after-free in .*xgd_bug' 'a page that is used after it was freed'
planted atomic-sleep 'BUG: sleeping function called from invalid context|BUG: scheduling while atomic' \
	'sleep with a spinlock held'
planted preemption 'BUG: using smp_processor_id\(\) in preemptible' 'data of a CPU used where another may follow'
planted array 'UBSAN: array-index-out-of-bounds' 'an index that the array does not have'
planted shift 'UBSAN: shift-out-of-bounds' 'a shift by too many bits'
planted timer 'ODEBUG: free active' 'a timer that is freed while it runs'
planted no-memory 'xgd_bug: (there was|no) memory' 'requests for memory that are to fail'
faults 0
planted no-memory 'xgd_bug: no memory' 'fail when faults are injected'
planted leak 'xgd_bug: lost 1' 'memory that nobody knows of any more'
like "$(lost)" 'unreferenced object .*size 8192' 'is found'
cmp_ok "$(reports | grep -cE 'KASAN:|UBSAN:|DMA-API:|ODEBUG:|locking|sleeping|preemptible')" -ge 10 \
	'what every case looks at has all of them'
done_testing
