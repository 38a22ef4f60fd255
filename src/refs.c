// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grant references: consecutive runs of them, and a table of what each of
 * them stands for.
 *
 * The table is what lets a mapping end soundly: an unmap knows only an
 * address, and from the address the table leads to the page and its owner,
 * with no search and no lock. It has a page of entries for some hundred
 * references, made when the first of these is used.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>

#include "refs.h"

#define XGD_REFS_PER_FRAME	(XEN_PAGE_SIZE / sizeof(struct grant_entry_v1))
#define XGD_REFS_PER_BLOCK	(PAGE_SIZE / sizeof(struct xgd_ref))

/* A streaming mapping takes at most one grant frame's worth of references. */
#define XGD_MAX_RUN		XGD_REFS_PER_FRAME

static struct xgd_ref **xgd_ref_blocks;
static unsigned int xgd_ref_count;

/**
 * xgd_refs_init - make the empty table
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int xgd_refs_init(void)
{
	/* Version 2 has fewer references to a frame: then the table is too long. */
	xgd_ref_count = gnttab_max_grant_frames() * XGD_REFS_PER_FRAME;
	xgd_ref_blocks = kvcalloc(DIV_ROUND_UP(xgd_ref_count, XGD_REFS_PER_BLOCK),
				  sizeof(*xgd_ref_blocks), GFP_KERNEL);

	return xgd_ref_blocks ? 0 : -ENOMEM;
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

	for (i = 0; i < DIV_ROUND_UP(xgd_ref_count, XGD_REFS_PER_BLOCK); i++)
		free_page((unsigned long)xgd_ref_blocks[i]);
	kvfree(xgd_ref_blocks);
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

/**
 * xgd_refs_entry - the table's entry of a reference
 * @ref: any number
 *
 * Context: any.
 * Return: the entry, or NULL for a number that no allocation has returned yet.
 */
struct xgd_ref *xgd_refs_entry(u64 ref)
{
	struct xgd_ref *block;

	if (ref >= xgd_ref_count)
		return NULL;

	block = READ_ONCE(xgd_ref_blocks[ref / XGD_REFS_PER_BLOCK]);

	return block ? block + ref % XGD_REFS_PER_BLOCK : NULL;
}

static int xgd_refs_add_block(unsigned int index)
{
	struct xgd_ref *block;

	if (READ_ONCE(xgd_ref_blocks[index]))
		return 0;

	block = (struct xgd_ref *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
	if (!block)
		return -ENOMEM;

	/* Another CPU may have been faster. */
	if (cmpxchg(&xgd_ref_blocks[index], NULL, block))
		free_page((unsigned long)block);

	return 0;
}

/**
 * xgd_refs_limit - how many references a device may have
 * @wanted:	what the user said, 0 for no word
 *
 * Without a word it is half of the table, so that no device starves the others.
 *
 * Context: any.
 * Return: the limit.
 */
unsigned int xgd_refs_limit(unsigned int wanted)
{
	return wanted ? min(wanted, xgd_ref_count) : xgd_ref_count / 2;
}

/* References from the grant table, and room for what they will stand for. */
static int xgd_refs_take(unsigned int count, grant_ref_t *first)
{
	unsigned int i, last;
	int ret;

	ret = gnttab_alloc_grant_reference_seq(count, first);
	if (ret)
		return ret;

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
	return ret;
}

/**
 * xgd_refs_alloc - take consecutive references for a device
 * @xd:		the device
 * @count:	how many, at least 1
 * @first:	the first of them
 *
 * Each must be granted with xgd_refs_grant() or xgd_refs_grant_private() and is
 * given back when its access is ended, see revoke.c; or all are given back with
 * xgd_refs_free() before they are granted. A failure is told in the log.
 *
 * Context: any.
 * Return: 0; -EDQUOT when the device has as many as it may; -ENOSPC when the table
 * has no such run; -ENOMEM.
 */
int xgd_refs_alloc(struct xgd_device *xd, unsigned int count, grant_ref_t *first)
{
	s64 refs = atomic64_add_return(count, &xd->stats.refs);
	int ret;

	if (refs > xd->mode.max_refs) {
		dev_warn_ratelimited(xd->dev,
				     "%u more grant references are too many: it may have %u; raise max_refs= if this goes on\n",
				     count, xd->mode.max_refs);
		ret = -EDQUOT;
		goto err_count;
	}

	ret = xgd_refs_take(count, first);
	if (ret) {
		dev_warn_ratelimited(xd->dev,
				     "no %u consecutive grant references for domain %u: %pe; raise gnttab_max_frames of Xen if this goes on\n",
				     count, xd->domid, ERR_PTR(ret));
		goto err_count;
	}
	xgd_note_max(&xd->stats.refs_max, refs);

	return 0;

err_count:
	atomic64_sub(count, &xd->stats.refs);
	return ret;
}

/**
 * xgd_refs_free - give back references that were not granted
 * @xd:		their device
 * @first:	the first of them
 * @count:	how many
 *
 * Context: any.
 */
void xgd_refs_free(struct xgd_device *xd, grant_ref_t first, unsigned int count)
{
	gnttab_free_grant_reference_seq(first, count);
	atomic64_sub(count, &xd->stats.refs);
}

/*
 * Source: public/grant_table.h of Xen, "Introducing a valid entry into the grant
 * table".
 */
static void xgd_refs_enter(struct xgd_device *xd, struct xgd_ref *entry, grant_ref_t ref,
			   phys_addr_t phys, bool readonly, u8 flags)
{
	readonly = readonly && !xd->mode.rw_grants;
	entry->flags = flags | (readonly ? XGD_REF_READONLY : 0);
	entry->owner = xd->id;

	/*
	 * pfn_to_gfn() counts in Xen pages. On a PV guest consecutive frames
	 * are not consecutive for Xen, so it is asked for each of them.
	 */
	gnttab_grant_foreign_access_ref(ref, xd->domid, pfn_to_gfn(XEN_PFN_DOWN(phys)),
					readonly);
}

/**
 * xgd_refs_grant - let the backend reach one Xen page in place
 * @xd:		the device
 * @ref:	a reference of it
 * @phys:	guest physical address of any byte of the Xen page
 * @readonly:	the backend needs only to read
 *
 * Context: any.
 */
void xgd_refs_grant(struct xgd_device *xd, grant_ref_t ref, phys_addr_t phys, bool readonly)
{
	struct xgd_ref *entry = xgd_refs_entry(ref);

	entry->page = pfn_to_page(PHYS_PFN(phys));
	entry->part = offset_in_page(phys) / XEN_PAGE_SIZE;
	xgd_refs_enter(xd, entry, ref, phys, readonly, 0);
}

/**
 * xgd_refs_grant_private - let the backend reach a private page
 * @xd:		the device
 * @ref:	a reference of it
 * @private:	the page
 * @phys:	where its memory is
 * @readonly:	the backend needs only to read
 * @flags:	XGD_REF_SLOTS or 0
 *
 * Context: any.
 */
void xgd_refs_grant_private(struct xgd_device *xd, grant_ref_t ref,
			    struct xgd_private *private, phys_addr_t phys, bool readonly,
			    u8 flags)
{
	struct xgd_ref *entry = xgd_refs_entry(ref);

	entry->private = private;
	xgd_refs_enter(xd, entry, ref, phys, readonly, XGD_REF_PRIVATE | flags);
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
	struct xgd_ref *entry;
	grant_ref_t ref;

	for (ref = from; ref < xgd_ref_count; ref++) {
		entry = xgd_refs_entry(ref);
		if (entry && READ_ONCE(entry->owner) == owner &&
		    !(READ_ONCE(entry->flags) & XGD_REF_LATE))
			return ref;
	}

	return XGD_REF_NONE;
}
