// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages: what shares a Xen page with other data is copied to and from
 * them, so that the backend sees the buffer and nothing else.
 *
 * Copies lie in blocks of equal units, of 64 bytes to a Xen page, that are granted
 * already and stay so: no grant operation at all. A block has one kind of access,
 * and one word that says which of its units are free: to take some of them, or to
 * give them back, is one atomic operation, with no lock. Blocks of units shorter
 * than a page are one page; those of whole pages have up to 64, with references in
 * a row, so that a copy can be longer than a page. Each CPU goes on with the block
 * that served it last.
 *
 * A buffer that is granted in place, but begins or ends within a page, is a run of
 * references of which the first and last lead to private pages of their own.
 *
 * Private pages are zeroed when they come from the kernel and never change from
 * one device to another. What is left in one has been shown to its backend before.
 *
 * A unit is filled at every mapping, whatever the direction: bytes that the
 * device does not write must keep their value when it is copied back.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "bounce.h"

/* Pages that are not granted and that are kept all the same. */
#define XGD_KEEP_MAX		64

/*
 * With these a device makes progress even when the kernel has no memory: a request
 * has a header, a table of descriptors and data, all of which may be pieces.
 */
#define XGD_RESERVE		3

/* Pages of a block of whole pages: usually, and where all is copied. */
#define XGD_BLOCK_PAGES		8
#define XGD_BLOCK_PAGES_COPY	XGD_RUN_MAX

/* A block that is free twice in this distance is given back. */
#define XGD_TIDY_MS		30000

static struct list_head *xgd_blocks_of(struct xgd_device *xd, bool readonly, unsigned int shift)
{
	return &xd->bounce.blocks[readonly][shift - XGD_SLOT_SHIFT_MIN];
}

static void xgd_private_free(struct xgd_private *private)
{
	put_page(private->page);
	kfree(private);
}

/* How many private pages one page of the kernel made. */
static unsigned int xgd_private_alloc(struct list_head *list, gfp_t gfp)
{
	struct xgd_private *private;
	struct page *page;
	unsigned int i;

	page = alloc_page(gfp | __GFP_ZERO | __GFP_NOWARN);
	if (!page)
		return 0;

	for (i = 0; i < XEN_PFN_PER_PAGE; i++) {
		private = kmalloc(sizeof(*private), gfp | __GFP_NOWARN);
		if (!private)
			break;
		private->page = page;
		private->room = NULL;
		private->vaddr = page_address(page) + i * XEN_PAGE_SIZE;
		list_add_tail(&private->list, list);
		get_page(page);
	}
	put_page(page);

	return i;
}

/* More spare pages, within the device's limit. */
static int xgd_add_spares(struct xgd_device *xd, gfp_t gfp)
{
	struct xgd_bounce *bounce = &xd->bounce;
	unsigned int count;
	unsigned long flags;
	LIST_HEAD(new);
	bool full;

	spin_lock_irqsave(&bounce->lock, flags);
	full = bounce->count + XEN_PFN_PER_PAGE > xd->mode.max_private;
	if (!full)
		bounce->count += XEN_PFN_PER_PAGE;
	spin_unlock_irqrestore(&bounce->lock, flags);
	if (full) {
		dev_warn_ratelimited(xd->dev,
				     "all %lu KiB for copies are in use; raise bounce_kb= if this goes on\n",
				     xd->mode.max_private * (XEN_PAGE_SIZE / SZ_1K));
		return -ENOSPC;
	}

	count = xgd_private_alloc(&new, gfp);

	spin_lock_irqsave(&bounce->lock, flags);
	bounce->count -= XEN_PFN_PER_PAGE - count;
	bounce->count_max = max(bounce->count_max, bounce->count);
	bounce->spares += count;
	list_splice(&new, &bounce->spare);
	spin_unlock_irqrestore(&bounce->lock, flags);

	return count ? 0 : -ENOMEM;
}

static struct xgd_private *xgd_get_spare(struct xgd_device *xd, gfp_t gfp)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_private *private;
	unsigned long flags;

	do {
		spin_lock_irqsave(&bounce->lock, flags);
		private = list_first_entry_or_null(&bounce->spare, struct xgd_private, list);
		if (private) {
			list_del(&private->list);
			bounce->spares--;
		}
		spin_unlock_irqrestore(&bounce->lock, flags);
	} while (!private && !xgd_add_spares(xd, gfp));

	return private;
}

/* The structure of a block whose pages were given back, or a new one. */
static struct xgd_block *xgd_get_vacant(struct xgd_device *xd, bool readonly,
					unsigned int shift, unsigned int units, gfp_t gfp)
{
	struct list_head *blocks = xgd_blocks_of(xd, readonly, shift);
	struct xgd_block *block;
	unsigned long flags;

	spin_lock_irqsave(&xd->bounce.lock, flags);
	list_for_each_entry(block, blocks, list) {
		if (!block->all && block->units == units) {
			list_del(&block->list);
			spin_unlock_irqrestore(&xd->bounce.lock, flags);
			return block;
		}
	}
	spin_unlock_irqrestore(&xd->bounce.lock, flags);

	block = kzalloc(struct_size(block, unit, units), gfp | __GFP_NOWARN);
	if (block) {
		block->readonly = readonly;
		block->shift = shift;
		block->units = units;
		block->pages = XEN_PFN_UP((size_t)units << shift);
		block->user = -1;
	}

	return block;
}

/* Give a block its pages and grant them. */
static bool xgd_fill_block(struct xgd_device *xd, struct xgd_block *block, gfp_t gfp)
{
	unsigned int i, j, units = block->units / block->pages;
	struct xgd_private *private, *next;
	grant_ref_t ref;
	LIST_HEAD(pages);

	for (i = 0; i < block->pages; i++) {
		private = xgd_get_spare(xd, gfp);
		if (!private)
			goto err_put;
		list_add_tail(&private->list, &pages);
	}
	if (xgd_refs_alloc(xd, block->pages, false, &ref))
		goto err_put;

	block->addr = xgd_lasting_addr(xd, ref, 0);
	i = 0;
	list_for_each_entry_safe(private, next, &pages, list) {
		private->block = block;
		for (j = 0; j < units; j++)
			block->unit[i++].vaddr = private->vaddr + (j << block->shift);
		xgd_refs_grant_private(xd, ref++, private, virt_to_phys(private->vaddr),
				       block->readonly);
	}

	return true;

err_put:
	list_for_each_entry_safe(private, next, &pages, list)
		xgd_bounce_put(xd, private);
	return false;
}

/* A block with its first @taken units taken, or NULL. */
static struct xgd_block *xgd_add_block(struct xgd_device *xd, bool readonly, unsigned int shift,
				       unsigned int units, unsigned int taken, gfp_t gfp)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_block *block;
	unsigned long flags;
	bool filled;

	block = xgd_get_vacant(xd, readonly, shift, units, gfp);
	if (!block)
		return NULL;

	filled = xgd_fill_block(xd, block, gfp);

	spin_lock_irqsave(&bounce->lock, flags);
	list_add(&block->list, xgd_blocks_of(xd, readonly, shift));
	if (filled) {
		block->idle = false;
		block->all = xgd_run_mask(0, units);
		atomic64_set_release(&block->free,
				     taken ? block->all & ~xgd_run_mask(0, taken) : block->all);
	}
	spin_unlock_irqrestore(&bounce->lock, flags);

	return filled ? block : NULL;
}

/**
 * xgd_bounce_init - a device begins with no private pages
 * @xd:	the device
 *
 * Context: any.
 */
void xgd_bounce_init(struct xgd_device *xd)
{
	struct xgd_bounce *bounce = &xd->bounce;
	unsigned int i, j;

	spin_lock_init(&bounce->lock);
	INIT_LIST_HEAD(&bounce->spare);
	for (i = 0; i < ARRAY_SIZE(bounce->blocks); i++)
		for (j = 0; j < ARRAY_SIZE(bounce->blocks[i]); j++)
			INIT_LIST_HEAD(&bounce->blocks[i][j]);
	/* What is kept must leave room for what is needed. */
	bounce->keep = min_t(unsigned int, XGD_KEEP_MAX, xd->mode.max_private / 8);
}

/**
 * xgd_bounce_reserve - take the first private pages
 * @xd:	the device
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM, and then what was taken is left for xgd_bounce_close().
 */
int xgd_bounce_reserve(struct xgd_device *xd)
{
	struct xgd_block *block;
	unsigned int readonly;

	for (readonly = 0; readonly <= 1; readonly++) {
		block = xgd_add_block(xd, readonly, XEN_PAGE_SHIFT, XGD_RESERVE, 0, GFP_KERNEL);
		if (!block)
			return -ENOMEM;
		block->reserved = true;
	}
	while (xd->bounce.spares < XGD_RESERVE)
		if (xgd_add_spares(xd, GFP_KERNEL))
			return -ENOMEM;

	return 0;
}

/**
 * xgd_bounce_close - forget all private pages
 * @xd:	the device, which makes no mappings any more
 *
 * Those that are granted are found in the reference table when they are revoked,
 * and come back by xgd_bounce_put() or xgd_bounce_disown().
 *
 * Context: process, may sleep.
 */
void xgd_bounce_close(struct xgd_device *xd)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_private *private, *next;
	LIST_HEAD(spare);

	cancel_delayed_work_sync(&bounce->tidy);

	spin_lock_irq(&bounce->lock);
	bounce->keep = 0;
	bounce->count -= bounce->spares;
	bounce->spares = 0;
	list_splice_init(&bounce->spare, &spare);
	spin_unlock_irq(&bounce->lock);

	list_for_each_entry_safe(private, next, &spare, list)
		xgd_private_free(private);
}

/**
 * xgd_bounce_exit - free what is left when no private page is granted any more
 * @xd:	the device
 *
 * Context: process.
 */
void xgd_bounce_exit(struct xgd_device *xd)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_block *block, *next;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(bounce->blocks); i++)
		for (j = 0; j < ARRAY_SIZE(bounce->blocks[i]); j++)
			list_for_each_entry_safe(block, next, &bounce->blocks[i][j], list)
				kfree(block);
}

/**
 * xgd_bounce_tidy_later - look in a while what can be given back
 * @xd:	the device
 *
 * Context: any.
 */
void xgd_bounce_tidy_later(struct xgd_device *xd)
{
	schedule_delayed_work(&xd->bounce.tidy, msecs_to_jiffies(XGD_TIDY_MS));
}

/* From any block but those that other CPUs go on with, or also from these. */
static struct xgd_block *xgd_search_blocks(struct xgd_device *xd, bool readonly,
					   unsigned int shift, unsigned int count, bool share,
					   int *first)
{
	struct list_head *blocks = xgd_blocks_of(xd, readonly, shift);
	struct xgd_block *block, *found = NULL;
	int cpu = raw_smp_processor_id();
	struct xgd_block **mine;
	unsigned long flags;

	mine = &per_cpu_ptr(xd->cpu, cpu)->block[readonly][shift - XGD_SLOT_SHIFT_MIN];

	spin_lock_irqsave(&xd->bounce.lock, flags);
	list_for_each_entry(block, blocks, list) {
		if (!share && block->user >= 0 && block->user != cpu)
			continue;
		*first = xgd_take_run(&block->free, count);
		if (*first < 0)
			continue;
		found = block;
		if (*mine)
			(*mine)->user = -1;
		found->user = cpu;
		/* For xgd_bounce_map(), which takes no lock; the task may have moved meanwhile. */
		smp_store_release(mine, found);
		/* What was used last is looked at first. */
		list_move(&found->list, blocks);
		break;
	}
	spin_unlock_irqrestore(&xd->bounce.lock, flags);

	return found;
}

static struct xgd_block *xgd_find_units(struct xgd_device *xd, bool readonly, unsigned int shift,
					unsigned int count, int *first)
{
	unsigned int units = XEN_PAGE_SIZE >> shift;
	struct xgd_block *block;

	block = xgd_search_blocks(xd, readonly, shift, count, false, first);
	if (block)
		return block;

	if (shift == XEN_PAGE_SHIFT) {
		units = READ_ONCE(xd->mode.copy) ? XGD_BLOCK_PAGES_COPY : XGD_BLOCK_PAGES;
		units = max(count, min(units, xd->mode.max_private / 16));
	}
	*first = 0;
	block = xgd_add_block(xd, readonly, shift, units, count, GFP_ATOMIC);
	if (!block && units > count)
		block = xgd_add_block(xd, readonly, shift, count, count, GFP_ATOMIC);
	if (block) {
		xgd_bounce_tidy_later(xd);
		return block;
	}

	/* Also where it takes more room than it needs. */
	for (; shift <= XEN_PAGE_SHIFT && !block; shift++)
		block = xgd_search_blocks(xd, readonly, shift, count, true, first);

	return block;
}

/**
 * xgd_bounce_map_more - the same as xgd_bounce_map(), where that takes more work
 * @xd:		the device
 * @phys:	physical address of the buffer
 * @size:	its size in bytes, 1 to XGD_COPY_MAX
 * @readonly:	grant it for reading only
 * @shift:	log2 of the size of the units, in bytes
 *
 * Context: any.
 * Return: as xgd_bounce_map().
 */
dma_addr_t xgd_bounce_map_more(struct xgd_device *xd, phys_addr_t phys, size_t size,
			       bool readonly, unsigned int shift)
{
	unsigned int part, i, count = XEN_PFN_UP(size);
	struct xgd_block *block;
	int first = -1;

	block = this_cpu_read(xd->cpu->block[readonly][shift - XGD_SLOT_SHIFT_MIN]);
	if (block)
		first = xgd_take_run(&block->free, count);
	if (first < 0)
		block = xgd_find_units(xd, readonly, shift, count, &first);
	if (!block)
		return DMA_MAPPING_ERROR;

	for (i = first; size; i++) {
		part = min_t(size_t, size, XEN_PAGE_SIZE);
		xgd_fill_unit(&block->unit[i], phys, size, part);
		phys += part;
		size -= part;
	}

	return xgd_unit_addr(block, first);
}

/**
 * xgd_copy_more - copy between a buffer, or a part of it, and its units
 * @unit:	the unit that it begins in; those of long buffers are pages
 * @offset:	where in the unit, in bytes
 * @size:	in bytes
 * @to_device:	to the units, not from them
 *
 * Context: any.
 */
void xgd_copy_more(const struct xgd_unit *unit, unsigned int offset, size_t size, bool to_device)
{
	size_t part;

	for (; size; unit++, offset = 0, size -= part) {
		part = min_t(size_t, size, XEN_PAGE_SIZE - offset);
		xgd_copy(unit, offset, part, to_device);
	}
}

/**
 * xgd_bounce_get - take a private page to be part of a run
 * @xd:		the device
 * @phys:	physical address of the bytes that are to be in it; they lie in one
 *		Xen page, and will be at the same place in the private page
 * @size:	how many bytes
 *
 * Context: any.
 * Return: the page with the bytes in it, not granted yet; NULL when there is none.
 */
struct xgd_private *xgd_bounce_get(struct xgd_device *xd, phys_addr_t phys, size_t size)
{
	struct xgd_private *private = xgd_get_spare(xd, GFP_ATOMIC);

	if (!private)
		return NULL;

	private->block = NULL;
	private->offset = xen_offset_in_page(phys);
	private->phys = phys;
	private->len = size;
	memcpy(private->vaddr + private->offset, phys_to_virt(phys), size);

	return private;
}

/**
 * xgd_bounce_put - give back a private page that is not granted any more
 * @xd:		the device
 * @private:	the page
 *
 * Context: any.
 */
void xgd_bounce_put(struct xgd_device *xd, struct xgd_private *private)
{
	struct xgd_bounce *bounce = &xd->bounce;
	unsigned long flags;
	bool keep;

	spin_lock_irqsave(&bounce->lock, flags);
	keep = bounce->spares < bounce->keep;
	if (keep) {
		list_add(&private->list, &bounce->spare);
		bounce->spares++;
	} else {
		bounce->count--;
	}
	spin_unlock_irqrestore(&bounce->lock, flags);

	if (!keep)
		xgd_private_free(private);
}

/**
 * xgd_bounce_adopt - have memory that is granted outlive its owner
 * @xd:		the device
 * @vaddr:	a Xen page of its coherent memory
 * @gfp:	how to get memory
 *
 * The page belongs to its owner, and to this, which is given up by xgd_bounce_disown(), or
 * by xgd_bounce_put() once the owner has no more use for it.
 *
 * Context: as @gfp says.
 * Return: the private page, or NULL when there is no memory.
 */
struct xgd_private *xgd_bounce_adopt(struct xgd_device *xd, void *vaddr, gfp_t gfp)
{
	struct xgd_private *private = kzalloc(sizeof(*private), gfp | __GFP_NOWARN);
	struct xgd_bounce *bounce = &xd->bounce;
	unsigned long flags;

	if (!private)
		return NULL;

	private->page = virt_to_page(vaddr);
	private->vaddr = vaddr;
	get_page(private->page);

	spin_lock_irqsave(&bounce->lock, flags);
	bounce->count++;
	bounce->count_max = max(bounce->count_max, bounce->count);
	spin_unlock_irqrestore(&bounce->lock, flags);

	return private;
}

/**
 * xgd_bounce_disown - give up a private page of which somebody else has the memory, too:
 * a backend that does not let go, or the owner of a ring
 * @xd:		the device
 * @private:	the page
 *
 * Context: any.
 * Return: its memory, whose reference now belongs to the caller.
 */
struct page *xgd_bounce_disown(struct xgd_device *xd, struct xgd_private *private)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct page *page = private->page;
	unsigned long flags;

	spin_lock_irqsave(&bounce->lock, flags);
	bounce->count--;
	spin_unlock_irqrestore(&bounce->lock, flags);
	kfree(private);

	return page;
}

/**
 * xgd_bounce_sync_part - copy what a page of a run has of a range
 * @private:	the page
 * @offset:	where the range begins in it, in bytes
 * @size:	in bytes
 * @to_device:	to the private page, not from it
 *
 * Context: any.
 */
void xgd_bounce_sync_part(const struct xgd_private *private, unsigned int offset, size_t size,
			  bool to_device)
{
	unsigned int from = max_t(unsigned int, offset, private->offset);
	unsigned int to = min_t(size_t, offset + size, private->offset + private->len);
	void *memory;

	if (from >= to)
		return;

	memory = phys_to_virt(private->phys + from - private->offset);
	if (to_device)
		memcpy(private->vaddr + from, memory, to - from);
	else
		memcpy(memory, private->vaddr + from, to - from);
}

/**
 * xgd_bounce_copy_back - copy what a page of a run has to where it belongs
 * @private:	the page
 *
 * Context: any.
 */
void xgd_bounce_copy_back(const struct xgd_private *private)
{
	memcpy(phys_to_virt(private->phys), private->vaddr + private->offset, private->len);
}

/**
 * xgd_bounce_bytes - how much memory it takes to know of private pages
 * @xd:		the device
 * @pages:	how many private pages; blocks count as they are
 *
 * Context: any.
 * Return: bytes, without those of the pages.
 */
size_t xgd_bounce_bytes(struct xgd_device *xd, unsigned int pages)
{
	struct xgd_bounce *bounce = &xd->bounce;
	size_t bytes = pages * sizeof(struct xgd_private);
	struct xgd_block *block;
	unsigned long flags;
	unsigned int i, j;

	spin_lock_irqsave(&bounce->lock, flags);
	for (i = 0; i < ARRAY_SIZE(bounce->blocks); i++)
		for (j = 0; j < ARRAY_SIZE(bounce->blocks[i]); j++)
			list_for_each_entry(block, &bounce->blocks[i][j], list)
				bytes += struct_size(block, unit, block->units);
	spin_unlock_irqrestore(&bounce->lock, flags);

	return bytes;
}

/**
 * xgd_bounce_take_idle - take the pages of a block that has not been used for a while
 * @xd:		the device
 * @first:	their first reference
 *
 * Context: any.
 * Return: how many references there are to revoke, 0 when there is no such block.
 */
unsigned int xgd_bounce_take_idle(struct xgd_device *xd, grant_ref_t *first)
{
	struct xgd_bounce *bounce = &xd->bounce;
	unsigned int i, j, pages = 0;
	struct xgd_block *block;
	unsigned long flags;
	s64 all;

	spin_lock_irqsave(&bounce->lock, flags);
	for (i = 0; i < ARRAY_SIZE(bounce->blocks); i++) {
		for (j = 0; j < ARRAY_SIZE(bounce->blocks[i]); j++) {
			list_for_each_entry(block, &bounce->blocks[i][j], list) {
				all = block->all;
				if (!block->idle ||
				    !atomic64_try_cmpxchg(&block->free, &all, 0))
					continue;
				block->all = 0;
				block->idle = false;
				*first = xen_grant_dma_ref(block->addr);
				pages = block->pages;
				goto out;
			}
		}
	}
out:
	spin_unlock_irqrestore(&bounce->lock, flags);

	return pages;
}

/**
 * xgd_bounce_find_idle - see which blocks are not used now
 * @xd:	the device
 *
 * Where all is copied none is: there a backend may keep mappings as long as the
 * device is in use, and a reference must not come to mean something else.
 *
 * Context: any.
 * Return: whether there are blocks that could be given back at another time.
 */
bool xgd_bounce_find_idle(struct xgd_device *xd)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_block *block;
	unsigned long flags;
	unsigned int i, j;
	bool found = false;

	if (READ_ONCE(xd->mode.copy))
		return false;

	spin_lock_irqsave(&bounce->lock, flags);
	for (i = 0; i < ARRAY_SIZE(bounce->blocks); i++) {
		for (j = 0; j < ARRAY_SIZE(bounce->blocks[i]); j++) {
			list_for_each_entry(block, &bounce->blocks[i][j], list) {
				if (!block->all || block->reserved)
					continue;
				block->idle = atomic64_read(&block->free) == block->all;
				found = true;
			}
		}
	}
	if (found)
		xgd_bounce_tidy_later(xd);
	spin_unlock_irqrestore(&bounce->lock, flags);

	return found;
}
