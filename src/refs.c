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
 * xgd_refs_alloc - take consecutive references from the grant table
 * @count:	how many, at least 1
 * @first:	the first of them
 *
 * Each must be granted with xgd_refs_grant() and is given back when its access
 * is ended, see revoke.c.
 *
 * Context: any.
 * Return: 0; -ENOSPC when the table has no such run; -ENOMEM.
 */
int xgd_refs_alloc(unsigned int count, grant_ref_t *first)
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
 * xgd_refs_grant - let a domain reach one Xen page
 * @ref:	an allocated reference
 * @owner:	id of the device it is for
 * @domid:	the domain
 * @phys:	guest physical address of any byte of the Xen page
 * @readonly:	the domain may only read
 *
 * Source: public/grant_table.h of Xen, "Introducing a valid entry into the
 * grant table".
 *
 * Context: any.
 */
void xgd_refs_grant(grant_ref_t ref, u16 owner, domid_t domid, phys_addr_t phys,
		    bool readonly)
{
	struct xgd_ref *entry = xgd_refs_entry(ref);

	entry->page = pfn_to_page(PHYS_PFN(phys));
	entry->late = 0;
	entry->owner = owner;

	/*
	 * pfn_to_gfn() counts in Xen pages. On a PV guest consecutive frames
	 * are not consecutive for Xen, so it is asked for each of them.
	 */
	gnttab_grant_foreign_access_ref(ref, domid, pfn_to_gfn(XEN_PFN_DOWN(phys)),
					readonly);
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
		if (entry && READ_ONCE(entry->owner) == owner && !READ_ONCE(entry->late))
			return ref;
	}

	return XGD_REF_NONE;
}
