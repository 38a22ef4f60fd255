// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grant references: consecutive runs of them, and a table of what each of
 * them stands for.
 *
 * The table is what lets a mapping end soundly: an unmap knows only an
 * address, and from the address the table leads to the page and its owner,
 * with no search and no lock. It has a page of entries for some hundred
 * references, made when the first of these is used.
 *
 * Mappings come and go fast, so their references come from a pool: groups of 64
 * that were taken from the kernel's grant table at once, each with one word that
 * says which of them are free. A run is taken from such a word, and given back to
 * it, with one atomic operation, so this needs no lock and no disabled interrupts.
 * Each CPU goes on with the group that served it last, and groups that no other
 * CPU goes on with are tried first: CPUs do not write to each other's cache lines.
 * Since free references are in these words and nowhere else, none is ever out of
 * reach; groups that are not needed go back to the kernel.
 *
 * References that last (of coherent memory, of private pages that stay granted)
 * come from the kernel directly, so that they do not keep groups in pieces.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kmemleak.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>

#include "refs.h"

#define XGD_REFS_PER_FRAME	(XEN_PAGE_SIZE / sizeof(struct grant_entry_v1))

/* A streaming mapping takes at most one grant frame's worth of references. */
#define XGD_MAX_RUN		XGD_REFS_PER_FRAME

/* So many groups are taken at once, and kept. */
#define XGD_POOL_GROUPS		(XGD_REFS_PER_FRAME / XGD_GROUP_REFS)

/* A group that is free twice in this distance goes back to the kernel. */
#define XGD_POOL_PAUSE_MS	5000

/* So many references a CPU may have counted for a device ahead of their use. */
#define XGD_CREDIT_MAX		64

struct xgd_ref **xgd_ref_blocks;
unsigned int xgd_ref_count;

struct xgd_group *xgd_groups;
static unsigned int xgd_group_count;

unsigned long *xgd_with_free;
DEFINE_PER_CPU(unsigned int, xgd_my_group);
static unsigned int xgd_big_group;

/* References that were taken from the kernel, and how many may be. */
static atomic_t xgd_taken;
static int xgd_may_take;

static DEFINE_SPINLOCK(xgd_pool_lock);
static unsigned int xgd_pool_groups;

static void xgd_pool_work(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(xgd_pool_worker, xgd_pool_work);

/**
 * xgd_refs_init - make the empty table
 * @keep:	so many references are left to other users of the grant table, as PV
 *		drivers; 0 for an eighth of it
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int xgd_refs_init(unsigned int keep)
{
	unsigned int i;

	/* Version 2 has fewer references to a frame: then the table is too long. */
	xgd_ref_count = gnttab_max_grant_frames() * XGD_REFS_PER_FRAME;
	xgd_may_take = xgd_ref_count - min(keep ?: xgd_ref_count / 8, xgd_ref_count);
	xgd_ref_blocks = kvcalloc(DIV_ROUND_UP(xgd_ref_count, XGD_REFS_PER_BLOCK),
				  sizeof(*xgd_ref_blocks), GFP_KERNEL);
	if (!xgd_ref_blocks)
		return -ENOMEM;

	xgd_group_count = xgd_ref_count / XGD_GROUP_REFS;
	xgd_groups = kvcalloc(xgd_group_count, sizeof(*xgd_groups), GFP_KERNEL);
	if (!xgd_groups)
		goto err_blocks;
	for (i = 0; i < xgd_group_count; i++)
		xgd_groups[i].user = -1;

	xgd_with_free = bitmap_zalloc(xgd_group_count, GFP_KERNEL);
	if (!xgd_with_free)
		goto err_groups;

	return 0;

err_groups:
	kvfree(xgd_groups);
err_blocks:
	kvfree(xgd_ref_blocks);
	return -ENOMEM;
}

/**
 * xgd_refs_max_run - the longest run that a streaming mapping should ask for
 *
 * With a small table (gnttab_max_frames= of Xen) one mapping must not take it all.
 *
 * Context: any.
 * Return: a number of references, that is of Xen pages.
 */
unsigned int xgd_refs_max_run(void)
{
	return min_t(unsigned int, XGD_MAX_RUN, xgd_ref_count / 8);
}

static void xgd_refs_free_block(struct xgd_ref *block)
{
	kmemleak_free(block);
	free_page((unsigned long)block);
}

static int xgd_refs_add_block(unsigned int index)
{
	struct xgd_ref *block;

	if (READ_ONCE(xgd_ref_blocks[index]))
		return 0;

	block = (struct xgd_ref *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
	if (!block)
		return -ENOMEM;

	/* So that kmemleak finds what only this leads to. */
	kmemleak_alloc(block, PAGE_SIZE, 1, GFP_ATOMIC);

	/* Another CPU may have been faster. */
	if (cmpxchg(&xgd_ref_blocks[index], NULL, block))
		xgd_refs_free_block(block);

	return 0;
}

/* References from the kernel's table, and room for what they will stand for. */
static int xgd_kernel_alloc(unsigned int count, grant_ref_t *first)
{
	unsigned int i, last;
	int ret = -EDQUOT;

	if (atomic_add_return(count, &xgd_taken) > xgd_may_take)
		goto err_taken;

	ret = gnttab_alloc_grant_reference_seq(count, first);
	if (ret)
		goto err_taken;

	/* Xen can raise the limit of a guest that was restored elsewhere. */
	ret = -ENOSPC;
	if (*first + count > xgd_ref_count)
		goto err_free;

	last = (*first + count - 1) / XGD_REFS_PER_BLOCK;
	for (i = *first / XGD_REFS_PER_BLOCK; i <= last; i++) {
		ret = xgd_refs_add_block(i);
		if (ret)
			goto err_free;
	}

	return 0;

err_free:
	gnttab_free_grant_reference_seq(*first, count);
err_taken:
	atomic_sub(count, &xgd_taken);
	return ret;
}

static void xgd_kernel_free(grant_ref_t first, unsigned int count)
{
	if (!count)
		return;

	gnttab_free_grant_reference_seq(first, count);
	atomic_sub(count, &xgd_taken);
}

/* Whole groups from the kernel. What is left beside them goes back. */
static bool xgd_pool_grow(unsigned int groups)
{
	unsigned int i, count = (groups + 1) * XGD_GROUP_REFS - 1;
	grant_ref_t first, begin, end;
	unsigned long flags;

	if (xgd_kernel_alloc(count, &first))
		return false;

	begin = ALIGN(first, XGD_GROUP_REFS);
	end = begin + groups * XGD_GROUP_REFS;
	xgd_kernel_free(end, first + count - end);
	xgd_kernel_free(first, begin - first);

	spin_lock_irqsave(&xgd_pool_lock, flags);
	for (i = begin / XGD_GROUP_REFS; i < end / XGD_GROUP_REFS; i++) {
		struct xgd_group *group = &xgd_groups[i];

		WRITE_ONCE(group->own, U64_MAX);
		group->idle = false;
		atomic64_set_release(&group->free, U64_MAX);
		set_bit(i, xgd_with_free);
	}
	xgd_pool_groups += groups;
	if (xgd_pool_groups > XGD_POOL_GROUPS)
		schedule_delayed_work(&xgd_pool_worker, msecs_to_jiffies(XGD_POOL_PAUSE_MS));
	spin_unlock_irqrestore(&xgd_pool_lock, flags);

	return true;
}

/* Give a group back to the kernel, if nothing of it is taken. */
static bool xgd_pool_drop(unsigned int index)
{
	struct xgd_group *group = &xgd_groups[index];
	s64 own = group->own;

	if (!atomic64_try_cmpxchg(&group->free, &own, 0))
		return false;

	clear_bit(index, xgd_with_free);
	WRITE_ONCE(group->own, 0);
	xgd_pool_groups--;
	atomic_sub(hweight64(own), &xgd_taken);
	for (; own; own &= own - 1)
		gnttab_free_grant_reference(index * XGD_GROUP_REFS + __ffs64(own));

	return true;
}

/*
 * Give back groups that nothing is taken of: all, or those that were like that the
 * last time, too, and are too many.
 */
static bool xgd_pool_shrink(bool all)
{
	bool dropped = false;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&xgd_pool_lock, flags);
	for (i = xgd_group_count; i--; ) {
		struct xgd_group *group = &xgd_groups[i];
		bool idle = group->own && atomic64_read(&group->free) == group->own;

		if (idle && (all || (group->idle && xgd_pool_groups > XGD_POOL_GROUPS)))
			dropped |= xgd_pool_drop(i);
		else
			group->idle = idle;
	}
	if (!all && xgd_pool_groups > XGD_POOL_GROUPS)
		schedule_delayed_work(&xgd_pool_worker, msecs_to_jiffies(XGD_POOL_PAUSE_MS));
	spin_unlock_irqrestore(&xgd_pool_lock, flags);

	return dropped;
}

static void xgd_pool_work(struct work_struct *work)
{
	xgd_pool_shrink(false);
}

/**
 * xgd_refs_exit - free the table
 *
 * No reference is in use any more.
 *
 * Context: process, may sleep.
 */
void xgd_refs_exit(void)
{
	unsigned int i;

	cancel_delayed_work_sync(&xgd_pool_worker);
	xgd_pool_shrink(true);
	WARN_ON(xgd_pool_groups || atomic_read(&xgd_taken));

	for (i = 0; i < DIV_ROUND_UP(xgd_ref_count, XGD_REFS_PER_BLOCK); i++)
		xgd_refs_free_block(xgd_ref_blocks[i]);
	bitmap_free(xgd_with_free);
	kvfree(xgd_groups);
	kvfree(xgd_ref_blocks);
}

/**
 * xgd_refs_usage - tell what all devices share
 * @usage:	the answer
 *
 * Context: any.
 */
void xgd_refs_usage(struct xgd_refs_usage *usage)
{
	unsigned int i, blocks = DIV_ROUND_UP(xgd_ref_count, XGD_REFS_PER_BLOCK);

	*usage = (struct xgd_refs_usage) {
		.taken = atomic_read(&xgd_taken),
		.may_take = xgd_may_take,
		.bytes = blocks * sizeof(*xgd_ref_blocks) +
			 xgd_group_count * sizeof(*xgd_groups) +
			 BITS_TO_LONGS(xgd_group_count) * sizeof(*xgd_with_free),
	};
	for (i = 0; i < blocks; i++)
		usage->bytes += READ_ONCE(xgd_ref_blocks[i]) ? PAGE_SIZE : 0;
	for (i = 0; i < xgd_group_count; i++) {
		usage->pool += hweight64(READ_ONCE(xgd_groups[i].own));
		usage->free += hweight64(atomic64_read(&xgd_groups[i].free));
	}
}

static void xgd_pool_go_on_with(unsigned int index)
{
	unsigned int old = this_cpu_xchg(xgd_my_group, index);

	if (old == index)
		return;
	WRITE_ONCE(xgd_groups[old].user, -1);
	WRITE_ONCE(xgd_groups[index].user, raw_smp_processor_id());
}

/* A group has no free reference: do not look at it before it has. */
static void xgd_pool_note_empty(unsigned int index)
{
	clear_bit(index, xgd_with_free);
	/* Against xgd_group_give(), which first gives and then looks at the bit. */
	smp_mb__after_atomic();
	if (atomic64_read(&xgd_groups[index].free))
		set_bit(index, xgd_with_free);
}

/* From any group but those that other CPUs go on with, or also from these. */
static bool xgd_pool_search(unsigned int count, bool share, grant_ref_t *first)
{
	unsigned int i;
	int bit;

	for_each_set_bit(i, xgd_with_free, xgd_group_count) {
		if (!share && READ_ONCE(xgd_groups[i].user) >= 0)
			continue;
		bit = xgd_take_run(&xgd_groups[i].free, count);
		if (bit >= 0) {
			xgd_pool_go_on_with(i);
			*first = i * XGD_GROUP_REFS + bit;
			return true;
		}
		if (!atomic64_read(&xgd_groups[i].free))
			xgd_pool_note_empty(i);
	}

	return false;
}

/* A run that is longer than a group begins with a group. */
static unsigned int xgd_pool_take_groups(unsigned int index, unsigned int count)
{
	unsigned int taken = 0, part;
	s64 all;

	while (taken < count) {
		part = min_t(unsigned int, count - taken, XGD_GROUP_REFS);
		all = U64_MAX;
		if (!atomic64_try_cmpxchg(&xgd_groups[index].free, &all,
					  ~xgd_run_mask(0, part)))
			break;
		taken += part;
		index++;
	}

	return taken;
}

static void xgd_pool_give(grant_ref_t first, unsigned int count);

static bool xgd_pool_search_big(unsigned int count, grant_ref_t *first)
{
	unsigned int groups = DIV_ROUND_UP(count, XGD_GROUP_REFS);
	unsigned int i, taken, begin = READ_ONCE(xgd_big_group);
	bool wrapped = false;

	for (i = begin; ; i += taken / XGD_GROUP_REFS + 1) {
		i = find_next_bit(xgd_with_free, xgd_group_count, i);
		if (i + groups > xgd_group_count) {
			if (wrapped)
				return false;
			wrapped = true;
			i = find_first_bit(xgd_with_free, xgd_group_count);
			if (i + groups > xgd_group_count)
				return false;
		}
		if (wrapped && i >= begin)
			return false;

		taken = xgd_pool_take_groups(i, count);
		*first = i * XGD_GROUP_REFS;
		if (taken == count) {
			WRITE_ONCE(xgd_big_group, i);
			return true;
		}
		xgd_pool_give(*first, taken);
	}
}

/* One grant frame, but no large part of a small table. */
static unsigned int xgd_pool_step(void)
{
	return clamp_t(unsigned int, xgd_group_count / 16, 1, XGD_POOL_GROUPS);
}

/* By more than is needed, so that the table is not left in pieces; or by that. */
static bool xgd_pool_grow_for(unsigned int count)
{
	unsigned int groups = DIV_ROUND_UP(count, XGD_GROUP_REFS);

	return xgd_pool_grow(max(groups, xgd_pool_step())) || xgd_pool_grow(groups);
}

static bool xgd_pool_take(unsigned int count, grant_ref_t *first)
{
	if (unlikely(count > XGD_GROUP_REFS))
		return xgd_pool_search_big(count, first) ||
		       (xgd_pool_grow_for(count) && xgd_pool_search_big(count, first));

	return xgd_group_take(count, first) || xgd_pool_search(count, false, first) ||
	       (xgd_pool_grow_for(count) && xgd_pool_search(count, false, first)) ||
	       xgd_pool_search(count, true, first);
}

/* At most the rest of a group at a time. */
static void xgd_pool_give(grant_ref_t first, unsigned int count)
{
	unsigned int part;

	for (; count; first += part, count -= part) {
		part = min(count, XGD_GROUP_REFS - first % XGD_GROUP_REFS);
		xgd_group_give(first, part);
	}
}

/* A reference that is taken leaves the pool, or belongs to it again. */
static void xgd_pool_set_own(grant_ref_t ref, bool own)
{
	struct xgd_group *group = &xgd_groups[ref / XGD_GROUP_REFS];
	u64 bit = BIT_ULL(ref % XGD_GROUP_REFS), old;
	unsigned long flags;

	spin_lock_irqsave(&xgd_pool_lock, flags);
	old = group->own;
	WRITE_ONCE(group->own, own ? old | bit : old & ~bit);
	xgd_pool_groups += !!group->own - !!old;
	spin_unlock_irqrestore(&xgd_pool_lock, flags);
}

/**
 * xgd_refs_init_device - a device begins with no references
 * @xd:	the device
 *
 * Where nothing was said of its limit it is half of the table, so that no device
 * starves the others.
 *
 * Context: any.
 */
void xgd_refs_init_device(struct xgd_device *xd)
{
	unsigned int *limit = &xd->mode.max_refs;

	*limit = *limit ? min(*limit, xgd_ref_count) : xgd_ref_count / 2;
	/* What all CPUs have counted ahead is at most a quarter of the limit. */
	xd->refs.batch = min_t(unsigned int, XGD_CREDIT_MAX, *limit / (8 * num_possible_cpus()));
}

/**
 * xgd_refs_count - how many references a device has
 * @xd:	the device
 *
 * Context: any; exact when nothing is mapped and unmapped meanwhile.
 * Return: the number.
 */
s64 xgd_refs_count(const struct xgd_device *xd)
{
	s64 count = atomic64_read(&xd->refs.counted);
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		count -= READ_ONCE(per_cpu_ptr(xd->cpu, cpu)->credit);

	return count;
}

/*
 * References are counted in batches, ahead of their use, so that CPUs do not
 * write to the same counter for each mapping. Near the limit it is one by one.
 */
static bool xgd_refs_charge(struct xgd_device *xd, int count)
{
	int charge = count + xd->refs.batch;
	s64 counted;

	if (likely(this_cpu_sub_return(xd->cpu->credit, count) >= 0))
		return true;
	this_cpu_add(xd->cpu->credit, count);

	counted = atomic64_add_return(charge, &xd->refs.counted);
	if (counted > xd->mode.max_refs) {
		counted = atomic64_sub_return(xd->refs.batch, &xd->refs.counted);
		charge = count;
	}
	if (counted > xd->mode.max_refs) {
		atomic64_sub(count, &xd->refs.counted);
		return false;
	}
	xgd_note_max(&xd->refs.counted_max, counted);
	this_cpu_add(xd->cpu->credit, charge - count);

	return true;
}

/**
 * xgd_refs_count_back - a CPU has counted too many references ahead
 * @xd:		the device
 * @credit:	how many it has
 *
 * Context: any.
 */
void xgd_refs_count_back(struct xgd_device *xd, int credit)
{
	this_cpu_sub(xd->cpu->credit, credit);
	atomic64_sub(credit, &xd->refs.counted);
}

static void xgd_refs_tell(struct xgd_device *xd, unsigned int count, int error)
{
	if (error == -EDQUOT)
		dev_warn_ratelimited(xd->dev,
				     "no %u more grant references for domain %u: all devices may have %d, the others are kept (keep_refs=); raise gnttab_max_frames of Xen or max_grant_frames of xl if this goes on\n",
				     count, xd->domid, xgd_may_take);
	else
		dev_warn_ratelimited(xd->dev,
				     "no %u consecutive grant references for domain %u: %pe; raise gnttab_max_frames of Xen or max_grant_frames of xl if this goes on\n",
				     count, xd->domid, ERR_PTR(error));
}

/**
 * xgd_refs_alloc_more - the same as xgd_refs_alloc(), where that takes more work
 * @xd:		the device
 * @count:	how many, at least 1
 * @brief:	they will be given back soon
 *
 * Context: any.
 * Return: the first of them, or an error as that of xgd_refs_alloc().
 */
s64 xgd_refs_alloc_more(struct xgd_device *xd, unsigned int count, bool brief)
{
	grant_ref_t first;
	int ret;

	if (unlikely(!xgd_refs_charge(xd, count))) {
		dev_warn_ratelimited(xd->dev,
				     "%u more grant references are too many: it may have %u; raise max_refs= if this goes on\n",
				     count, xd->mode.max_refs);
		return -EDQUOT;
	}

	if (brief && !READ_ONCE(xd->refs.no_pool) && xgd_pool_take(count, &first))
		return first;

	ret = xgd_kernel_alloc(count, &first);
	if (ret && xgd_pool_shrink(true))
		ret = xgd_kernel_alloc(count, &first);
	if (ret) {
		xgd_refs_uncharge(xd, count);
		xgd_refs_tell(xd, count, ret);
		return ret == -EDQUOT ? -ENOSPC : ret;
	}

	return first;
}

/**
 * xgd_refs_free_more - the same as xgd_refs_free(), where that takes more work
 * @xd:		their device
 * @first:	the first of them
 * @count:	how many of a run
 *
 * Context: any.
 */
void xgd_refs_free_more(struct xgd_device *xd, grant_ref_t first, unsigned int count)
{
	if (xgd_refs_pooled(first))
		xgd_pool_give(first, count);
	else
		xgd_kernel_free(first, count);
	xgd_refs_uncharge(xd, count);
}

/**
 * xgd_refs_end_and_free - end access and give back the reference, if that can be
 * @xd:		its device
 * @ref:	a reference that is granted
 *
 * To end access without giving the reference back to the kernel would have the
 * kernel write a line to the log where it fails. So the pool loses it here.
 *
 * Source: gnttab_try_end_foreign_access() of Linux.
 *
 * Context: any.
 * Return: false: the backend still maps it.
 */
bool xgd_refs_end_and_free(struct xgd_device *xd, grant_ref_t ref)
{
	bool pooled = xgd_refs_pooled(ref);

	if (pooled)
		xgd_pool_set_own(ref, false);
	if (!gnttab_try_end_foreign_access(ref)) {
		if (pooled)
			xgd_pool_set_own(ref, true);
		return false;
	}
	atomic_dec(&xgd_taken);
	xgd_refs_uncharge(xd, 1);

	return true;
}

/**
 * xgd_refs_grant_private - let the backend reach a private page
 * @xd:		the device
 * @ref:	a reference of it
 * @private:	the page
 * @phys:	where its memory is
 * @readonly:	the backend needs only to read
 *
 * Context: any.
 */
void xgd_refs_grant_private(struct xgd_device *xd, grant_ref_t ref,
			    struct xgd_private *private, phys_addr_t phys, bool readonly)
{
	xgd_refs_grant(xd, ref, 1, phys, readonly);
	xgd_refs_set_private(ref, private, 0);
}

/*
 * A late reference may be ended meanwhile, and be another device's at once: what its
 * entry says of the owner and of being late must be of the same moment.
 */
static bool xgd_refs_is_of(const struct xgd_ref *entry, u16 owner)
{
	const struct xgd_ref seen = { .state = READ_ONCE(entry->state) };

	return seen.owner == owner && !(seen.flags & XGD_REF_LATE);
}

/**
 * xgd_refs_next_of - the next reference of a device
 * @owner:	id of the device, which makes no mappings meanwhile
 * @from:	where to begin
 *
 * Context: any; reads the whole table if the device has none.
 * Return: a reference that is not late, or XGD_REF_NONE.
 */
grant_ref_t xgd_refs_next_of(u16 owner, grant_ref_t from)
{
	struct xgd_ref *block;
	grant_ref_t ref;

	for (ref = from; ref < xgd_ref_count; ref++) {
		block = READ_ONCE(xgd_ref_blocks[ref / XGD_REFS_PER_BLOCK]);
		if (!block)
			ref |= XGD_REFS_PER_BLOCK - 1;
		else if (xgd_refs_is_of(block + ref % XGD_REFS_PER_BLOCK, owner))
			return ref;
	}

	return XGD_REF_NONE;
}
