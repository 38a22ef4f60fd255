// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages: what shares a Xen page with other data is copied to and from
 * them, so that the backend sees the buffer and nothing else.
 *
 * A piece, no longer than a Xen page, takes a slot in a page that is granted
 * already and stays so: no grant operation at all. The slots of a page have one
 * size and one kind of access. A longer buffer is a run of references, of which
 * some (the first and the last, or those of memory that cannot be kept from
 * reuse) lead to private pages of their own.
 *
 * Private pages are zeroed when they come from the kernel and never change from
 * one device to another. What is left in one has been shown to its backend before.
 *
 * A slot is filled at every mapping, whatever the direction: bytes that the
 * device does not write must keep their value when the slot is copied back.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "bounce.h"
#include "refs.h"

/* Pages that nobody uses and that are kept all the same, of each sort. */
#define XGD_KEEP_MAX		64

/* With these a device makes progress even when the kernel has no memory. */
#define XGD_RESERVE		2

static struct xgd_private *xgd_first(struct list_head *list)
{
	return list_first_entry_or_null(list, struct xgd_private, list);
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
		private = xgd_first(&bounce->spare);
		if (private) {
			list_del_init(&private->list);
			bounce->spares--;
		}
		spin_unlock_irqrestore(&bounce->lock, flags);
	} while (!private && !xgd_add_spares(xd, gfp));

	return private;
}

/* A page that is granted for good and has no slots yet. */
static struct xgd_private *xgd_get_granted(struct xgd_device *xd, bool readonly, gfp_t gfp)
{
	struct xgd_private *private = xgd_get_spare(xd, gfp);

	if (!private)
		return NULL;

	if (xgd_refs_alloc(xd, 1, &private->ref)) {
		xgd_bounce_put(xd, private);
		return NULL;
	}
	private->readonly = readonly;
	private->offset = 0;
	xgd_refs_grant_private(xd, private->ref, private, virt_to_phys(private->vaddr),
			       readonly, XGD_REF_SLOTS);

	return private;
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
	for (i = 0; i < ARRAY_SIZE(bounce->slots); i++) {
		INIT_LIST_HEAD(&bounce->empty[i]);
		for (j = 0; j < ARRAY_SIZE(bounce->slots[i]); j++)
			INIT_LIST_HEAD(&bounce->slots[i][j]);
	}
	/* What is kept of one sort must leave room for the others. */
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
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_private *private;
	unsigned int i, readonly;

	for (readonly = 0; readonly <= 1; readonly++) {
		for (i = 0; i < XGD_RESERVE; i++) {
			private = xgd_get_granted(xd, readonly, GFP_KERNEL);
			if (!private)
				return -ENOMEM;
			list_add(&private->list, &bounce->empty[readonly]);
			bounce->empties[readonly]++;
		}
	}
	while (bounce->spares < XGD_RESERVE)
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
 * Context: process.
 */
void xgd_bounce_close(struct xgd_device *xd)
{
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_private *private, *next;
	LIST_HEAD(spare);

	spin_lock_irq(&bounce->lock);
	bounce->keep = 0;
	bounce->count -= bounce->spares;
	bounce->spares = 0;
	list_splice_init(&bounce->spare, &spare);
	spin_unlock_irq(&bounce->lock);

	list_for_each_entry_safe(private, next, &spare, list)
		xgd_private_free(private);
}

static unsigned int xgd_slot_shift(size_t size)
{
	return max(XGD_SLOT_SHIFT_MIN, order_base_2(size));
}

static unsigned int xgd_slot_begin(const struct xgd_private *private, unsigned int slot)
{
	return (slot << private->shift) + private->offset;
}

static u64 xgd_all_slots(const struct xgd_private *private)
{
	return GENMASK_ULL((XEN_PAGE_SIZE >> private->shift) - 1, 0);
}

/**
 * xgd_bounce_map - copy a piece to where the backend can reach it
 * @xd:		the device
 * @phys:	physical address of the piece
 * @size:	its size in bytes, 1 to XEN_PAGE_SIZE
 * @readonly:	grant it for reading only
 *
 * Context: any.
 * Return: its DMA address, or DMA_MAPPING_ERROR when there is no memory.
 */
dma_addr_t xgd_bounce_map(struct xgd_device *xd, phys_addr_t phys, size_t size, bool readonly)
{
	unsigned int slot, shift = xgd_slot_shift(size);
	struct xgd_bounce *bounce = &xd->bounce;
	struct xgd_private *private;
	struct list_head *slots;
	unsigned long flags;

	slots = &bounce->slots[readonly][shift - XGD_SLOT_SHIFT_MIN];

	spin_lock_irqsave(&bounce->lock, flags);
	private = xgd_first(slots);
	if (!private) {
		private = xgd_first(&bounce->empty[readonly]);
		if (private) {
			bounce->empties[readonly]--;
		} else {
			spin_unlock_irqrestore(&bounce->lock, flags);
			private = xgd_get_granted(xd, readonly, GFP_ATOMIC);
			if (!private)
				return DMA_MAPPING_ERROR;
			spin_lock_irqsave(&bounce->lock, flags);
		}
		private->shift = shift;
		private->free = xgd_all_slots(private);
		list_move(&private->list, slots);
	}
	slot = __ffs64(private->free);
	private->free &= ~BIT_ULL(slot);
	if (!private->free)
		list_del_init(&private->list);
	spin_unlock_irqrestore(&bounce->lock, flags);

	private->phys[slot] = phys;
	private->len[slot] = size;
	memcpy(private->vaddr + (slot << shift), phys_to_virt(phys), size);

	return xen_grant_dma_addr(private->ref, slot << shift);
}

/**
 * xgd_bounce_unmap - give up a slot
 * @xd:		the device
 * @private:	the page
 * @offset:	where in the page the slot begins, in bytes
 *
 * Context: any.
 * Return: the reference of a page that is not needed any more and must be
 * revoked, or XGD_REF_NONE.
 */
grant_ref_t xgd_bounce_unmap(struct xgd_device *xd, struct xgd_private *private,
			     unsigned int offset)
{
	struct xgd_bounce *bounce = &xd->bounce;
	bool was_full, retire = false;
	unsigned long flags;

	spin_lock_irqsave(&bounce->lock, flags);
	was_full = !private->free;
	private->free |= BIT_ULL(offset >> private->shift);
	if (private->free == xgd_all_slots(private)) {
		retire = bounce->empties[private->readonly] >= bounce->keep;
		if (retire) {
			list_del_init(&private->list);
		} else {
			list_move(&private->list, &bounce->empty[private->readonly]);
			bounce->empties[private->readonly]++;
		}
	} else if (was_full) {
		list_add(&private->list,
			 &bounce->slots[private->readonly][private->shift - XGD_SLOT_SHIFT_MIN]);
	}
	spin_unlock_irqrestore(&bounce->lock, flags);

	return retire ? private->ref : XGD_REF_NONE;
}

/**
 * xgd_bounce_get - take a private page to be part of a run
 * @xd:		the device
 * @ref:	its reference
 * @phys:	physical address of the bytes that are to be in it; they lie in one
 *		Xen page, and will be at the same place in the private page
 * @size:	how many bytes
 *
 * Context: any.
 * Return: the page with the bytes in it, not granted yet; NULL when there is none.
 */
struct xgd_private *xgd_bounce_get(struct xgd_device *xd, grant_ref_t ref,
				   phys_addr_t phys, size_t size)
{
	struct xgd_private *private = xgd_get_spare(xd, GFP_ATOMIC);

	if (!private)
		return NULL;

	private->ref = ref;
	private->shift = XEN_PAGE_SHIFT;
	private->offset = xen_offset_in_page(phys);
	private->free = 0;
	private->phys[0] = phys;
	private->len[0] = size;
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
 * xgd_bounce_holds - is this part of what a slot has now?
 * @private:	the page
 * @offset:	of the first byte in the page
 * @size:	in bytes
 *
 * Context: any.
 * Return: whether it is.
 */
bool xgd_bounce_holds(const struct xgd_private *private, unsigned int offset, size_t size)
{
	unsigned int slot = offset >> private->shift;
	unsigned int begin = xgd_slot_begin(private, slot);

	return !(READ_ONCE(private->free) & BIT_ULL(slot)) &&
	       offset >= begin && offset + size <= begin + private->len[slot];
}

/**
 * xgd_bounce_copy - copy between a private page and the memory that it stands for
 * @private:	the page
 * @offset:	of the first byte in the page
 * @size:	in bytes; what the slot does not have is left out
 * @to_device:	to the private page, not from it
 *
 * Context: any.
 */
void xgd_bounce_copy(const struct xgd_private *private, unsigned int offset, size_t size,
		     bool to_device)
{
	unsigned int slot = offset >> private->shift;
	unsigned int begin = xgd_slot_begin(private, slot);
	unsigned int from = max(offset, begin);
	unsigned int to = min_t(size_t, offset + size, begin + private->len[slot]);
	void *memory;

	if (from >= to)
		return;

	memory = phys_to_virt(private->phys[slot] + from - begin);
	if (to_device)
		memcpy(private->vaddr + from, memory, to - from);
	else
		memcpy(memory, private->vaddr + from, to - from);
}
