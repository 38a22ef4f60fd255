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
#include <linux/log2.h>
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

/* With these a device makes progress even when the kernel has no memory. */
#define XGD_RESERVE		2

/* Pages of a block of whole pages: usually, and where all is copied. */
#define XGD_BLOCK_PAGES		8
#define XGD_BLOCK_PAGES_COPY	XGD_RUN_MAX

/* A block that is free twice in this distance is given back. */
#define XGD_TIDY_MS		30000

/**
 * struct xgd_unit - a part of a block
 * @vaddr:	its memory
 * @phys:	the memory whose bytes it has
 * @len:	how many bytes the buffer has from here on, in this unit and those
 *		behind it
 *
 * A unit that is not free belongs to whoever mapped it.
 */
struct xgd_unit {
	void		*vaddr;
	phys_addr_t	phys;
	u32		len;
};

/**
 * struct xgd_block - units of one size, granted for good
 * @free:	which units can be taken
 * @addr:	DMA address of the first unit
 * @all:	which units there are; none after the pages were given back
 * @shift:	log2 of the size of a unit in bytes
 * @readonly:	granted for reading only
 * @reserved:	never given back while the device lives
 * @idle:	no unit was taken when this was last looked at
 * @user:	the CPU that goes on with this block, or -1
 * @units:	how many units there can be
 * @pages:	how many Xen pages
 * @list:	with others of the same access and size
 * @unit:	the units
 *
 * It lives as long as its device, so that whoever still knows it may look at @free.
 */
struct xgd_block {
	atomic64_t		free;
	dma_addr_t		addr;
	u64			all;
	u8			shift;
	bool			readonly;
	bool			reserved;
	bool			idle;
	int			user;
	unsigned int		units;
	unsigned int		pages;
	struct list_head	list;
	struct xgd_unit		unit[];
};

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
			list_del_init(&block->list);
			spin_unlock_irqrestore(&xd->bounce.lock, flags);
			return block;
		}
	}
	spin_unlock_irqrestore(&xd->bounce.lock, flags);

	block = kzalloc(struct_size(block, unit, units), gfp | __GFP_NOWARN);
	if (block) {
		INIT_LIST_HEAD(&block->list);
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

	block->addr = xen_grant_dma_addr(ref, 0);
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

/* From any block but those that other CPUs go on with, or also from these. */
static struct xgd_block *xgd_search_blocks(struct xgd_device *xd, bool readonly,
					   unsigned int shift, unsigned int count, bool share,
					   int *first)
{
	struct list_head *blocks = xgd_blocks_of(xd, readonly, shift);
	struct xgd_block *block, *found = NULL;
	struct xgd_block **mine;
	unsigned long flags;

	mine = raw_cpu_ptr(&xd->cpu->block[readonly][shift - XGD_SLOT_SHIFT_MIN]);

	spin_lock_irqsave(&xd->bounce.lock, flags);
	list_for_each_entry(block, blocks, list) {
		if (!share && block->user >= 0)
			continue;
		*first = xgd_take_run(&block->free, count);
		if (*first < 0)
			continue;
		found = block;
		if (READ_ONCE(*mine))
			(*mine)->user = -1;
		found->user = raw_smp_processor_id();
		WRITE_ONCE(*mine, found);
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
		units = READ_ONCE(xd->mode.isolation) == XGD_ISOLATION_COPY ?
			XGD_BLOCK_PAGES_COPY : XGD_BLOCK_PAGES;
		units = max(count, min(units, xd->mode.max_private / 16));
	}
	*first = 0;
	block = xgd_add_block(xd, readonly, shift, units, count, GFP_ATOMIC);
	if (!block && units > count)
		block = xgd_add_block(xd, readonly, shift, count, count, GFP_ATOMIC);
	if (block) {
		schedule_delayed_work(&xd->bounce.tidy, msecs_to_jiffies(XGD_TIDY_MS));
		return block;
	}

	/* Also where it takes more room than it needs. */
	for (; shift <= XEN_PAGE_SHIFT && !block; shift++)
		block = xgd_search_blocks(xd, readonly, shift, count, true, first);

	return block;
}

static unsigned int xgd_unit_shift(size_t size)
{
	return clamp(order_base_2(size), XGD_SLOT_SHIFT_MIN, XEN_PAGE_SHIFT);
}

/**
 * xgd_bounce_map - copy a buffer to where the backend can reach it
 * @xd:		the device
 * @phys:	physical address of the buffer
 * @size:	its size in bytes, 1 to XGD_COPY_MAX
 * @readonly:	grant it for reading only
 *
 * Context: any.
 * Return: its DMA address, or DMA_MAPPING_ERROR when there is no memory.
 */
dma_addr_t xgd_bounce_map(struct xgd_device *xd, phys_addr_t phys, size_t size, bool readonly)
{
	unsigned int part, shift = xgd_unit_shift(size), count = XEN_PFN_UP(size);
	struct xgd_block *block;
	struct xgd_unit *unit;
	int first = -1;

	block = this_cpu_read(xd->cpu->block[readonly][shift - XGD_SLOT_SHIFT_MIN]);
	if (likely(block))
		first = xgd_take_run(&block->free, count);
	if (unlikely(first < 0)) {
		block = xgd_find_units(xd, readonly, shift, count, &first);
		if (!block)
			return DMA_MAPPING_ERROR;
	}

	for (unit = &block->unit[first]; ; unit++) {
		unit->phys = phys;
		unit->len = size;
		part = min_t(size_t, size, XEN_PAGE_SIZE);
		memcpy(unit->vaddr, phys_to_virt(phys), part);
		phys += part;
		size -= part;
		if (likely(!size))
			return block->addr + ((dma_addr_t)first << block->shift);
	}
}

static unsigned int xgd_unit_of(const struct xgd_block *block, dma_addr_t addr)
{
	return (addr - block->addr) >> block->shift;
}

/**
 * xgd_bounce_unmap - give up the copy of a buffer
 * @private:	the page that it begins in
 * @addr:	its DMA address
 *
 * Context: any.
 */
void xgd_bounce_unmap(struct xgd_private *private, dma_addr_t addr)
{
	struct xgd_block *block = private->block;
	unsigned int unit = xgd_unit_of(block, addr);

	xgd_give_run(&block->free, unit, XEN_PFN_UP(block->unit[unit].len));
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
 * xgd_bounce_disown - give up a private page that the backend does not let go
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
 * xgd_bounce_holds - is this part of what is mapped?
 * @private:	a page that is granted for good
 * @addr:	of the first byte
 * @size:	in bytes
 *
 * Context: any.
 * Return: whether it is.
 */
bool xgd_bounce_holds(const struct xgd_private *private, dma_addr_t addr, size_t size)
{
	const struct xgd_block *block = private->block;
	unsigned int unit = xgd_unit_of(block, addr);
	unsigned int offset = addr & (BIT(block->shift) - 1);

	return !(atomic64_read(&block->free) & BIT_ULL(unit)) &&
	       offset + size <= block->unit[unit].len;
}

/**
 * xgd_bounce_copy - copy between a private page and the memory that it stands for
 * @private:	the page
 * @addr:	of the first byte
 * @size:	in bytes, in one Xen page; what the page does not have is left out
 * @to_device:	to the private page, not from it
 *
 * Context: any.
 */
void xgd_bounce_copy(const struct xgd_private *private, dma_addr_t addr, size_t size,
		     bool to_device)
{
	const struct xgd_block *block = private->block;
	unsigned int offset = xen_grant_dma_offset(addr);
	void *memory, *copy;

	if (block) {
		const struct xgd_unit *unit = &block->unit[xgd_unit_of(block, addr)];

		offset &= BIT(block->shift) - 1;
		memory = phys_to_virt(unit->phys + offset);
		copy = unit->vaddr + offset;
	} else {
		unsigned int from = max_t(unsigned int, offset, private->offset);
		unsigned int to = min_t(size_t, offset + size, private->offset + private->len);

		if (from >= to)
			return;
		memory = phys_to_virt(private->phys + from - private->offset);
		copy = private->vaddr + from;
		size = to - from;
	}

	if (to_device)
		memcpy(copy, memory, size);
	else
		memcpy(memory, copy, size);
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

	if (READ_ONCE(xd->mode.isolation) == XGD_ISOLATION_COPY)
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
		schedule_delayed_work(&bounce->tidy, msecs_to_jiffies(XGD_TIDY_MS));
	spin_unlock_irqrestore(&bounce->lock, flags);

	return found;
}
