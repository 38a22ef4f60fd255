/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_REFS_H
#define XGD_REFS_H

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "device.h"
#include "runs.h"

/* Ends a list of references. No table is that large. */
#define XGD_REF_NONE	U32_MAX

struct xgd_private;

/* Flags of a reference. */
#define XGD_REF_LATE		BIT(0)	/* in its device's list of late references */
#define XGD_REF_PRIVATE		BIT(1)	/* of a private page, not of somebody's memory */
#define XGD_REF_READONLY	BIT(2)	/* granted for reading only */
#define XGD_REF_RING		BIT(3)	/* of a ring, with room for pieces: XGD_REF_PRIVATE, too */

/**
 * struct xgd_ref - what this module knows of one grant reference
 * @page:	the page that is granted; for a late reference the page to give up
 *		in the end, or NULL when it could not be kept
 * @private:	with XGD_REF_PRIVATE: the private page that is granted
 * @next:	next in a list of late references
 * @owner:	id of the device, 0 for a reference that is not in use here
 * @flags:	XGD_REF_*
 * @part:	which Xen page of @page is granted
 * @state:	@owner, @flags and @part, to be read at once
 *
 * An entry belongs to whoever allocated the reference; nobody else writes it while
 * @owner is set, and who does not own it looks at @state alone.
 */
struct xgd_ref {
	union {
		struct page		*page;
		struct xgd_private	*private;
	};
	grant_ref_t	next;
	union {
		struct {
			u16	owner;
			u8	flags;
			u8	part;
		};
		u32		state;
	};
};

/**
 * struct xgd_group - 64 references in a row that begin at a multiple of 64
 * @free:	which of them can be taken
 * @own:	which of them the pool has; the others are the kernel's
 * @user:	the CPU that goes on with this group, or -1
 * @idle:	nothing was taken when this was last looked at
 *
 * @own and @idle are protected by the pool's lock.
 */
struct xgd_group {
	atomic64_t	free;
	u64		own;
	int		user;
	bool		idle;
} ____cacheline_aligned_in_smp;

#define XGD_GROUP_REFS		XGD_RUN_MAX

extern struct xgd_group *xgd_groups;
/* A set bit: this group may have free references. A clear one: it has none. */
extern unsigned long *xgd_with_free;
/* The group that a CPU goes on with. */
DECLARE_PER_CPU(unsigned int, xgd_my_group);

#define XGD_REFS_PER_BLOCK	(PAGE_SIZE / sizeof(struct xgd_ref))

extern struct xgd_ref **xgd_ref_blocks;
extern unsigned int xgd_ref_count;

/**
 * xgd_refs_entry - the table's entry of a reference
 * @ref: any number
 *
 * Context: any.
 * Return: the entry, or NULL for a number that no allocation has returned yet.
 */
static inline struct xgd_ref *xgd_refs_entry(u64 ref)
{
	struct xgd_ref *block;

	if (unlikely(ref >= xgd_ref_count))
		return NULL;

	block = READ_ONCE(xgd_ref_blocks[ref / XGD_REFS_PER_BLOCK]);

	return likely(block) ? block + ref % XGD_REFS_PER_BLOCK : NULL;
}

/* The same for a reference that an allocation has returned. */
static inline struct xgd_ref *xgd_refs_known(grant_ref_t ref)
{
	return xgd_ref_blocks[ref / XGD_REFS_PER_BLOCK] + ref % XGD_REFS_PER_BLOCK;
}

/**
 * struct xgd_refs_usage - what all devices share
 * @taken:	references that were taken from the kernel, of the pool and others
 * @may_take:	how many that may be
 * @pool:	references of the pool
 * @free:	those of @pool that nobody has taken
 * @bytes:	memory of the pool and of the table
 */
struct xgd_refs_usage {
	unsigned int	taken;
	unsigned int	may_take;
	unsigned int	pool;
	unsigned int	free;
	size_t		bytes;
};

int xgd_refs_init(unsigned int keep);
void xgd_refs_exit(void);
unsigned int xgd_refs_max_run(void);
void xgd_refs_init_device(struct xgd_device *xd);
s64 xgd_refs_count(const struct xgd_device *xd);
void xgd_refs_usage(struct xgd_refs_usage *usage);

s64 xgd_refs_alloc_more(struct xgd_device *xd, unsigned int count, bool brief);
void xgd_refs_free_more(struct xgd_device *xd, grant_ref_t first, unsigned int count);
void xgd_refs_count_back(struct xgd_device *xd, int credit);
bool xgd_refs_end_and_free(struct xgd_device *xd, grant_ref_t ref);

void xgd_refs_grant_private(struct xgd_device *xd, grant_ref_t ref,
			    struct xgd_private *private, phys_addr_t phys, bool readonly);
grant_ref_t xgd_refs_next_of(u16 owner, grant_ref_t from);

/**
 * xgd_refs_pooled - is a reference of the pool?
 * @ref:	a reference that the caller has
 *
 * Context: any.
 * Return: whether it is.
 */
static inline bool xgd_refs_pooled(grant_ref_t ref)
{
	return READ_ONCE(xgd_groups[ref / XGD_GROUP_REFS].own) & BIT_ULL(ref % XGD_GROUP_REFS);
}

/* A run from the group that this CPU goes on with. */
static __always_inline bool xgd_group_take(unsigned int count, grant_ref_t *first)
{
	unsigned int index = this_cpu_read(xgd_my_group);
	int bit = xgd_take_run(&xgd_groups[index].free, count);

	*first = index * XGD_GROUP_REFS + bit;

	return bit >= 0;
}

/* Give back a run, or a part of it, that lies in one group. */
static __always_inline void xgd_group_give(grant_ref_t first, unsigned int count)
{
	unsigned int index = first / XGD_GROUP_REFS;

	xgd_give_run(&xgd_groups[index].free, first % XGD_GROUP_REFS, count);
	/* Against xgd_pool_note_empty(). */
	smp_mb__after_atomic();
	if (unlikely(!test_bit(index, xgd_with_free)))
		set_bit(index, xgd_with_free);
}

static __always_inline void xgd_refs_uncharge(struct xgd_device *xd, int count)
{
	int credit = this_cpu_add_return(xd->cpu->credit, count);

	if (unlikely(credit > 2 * xd->refs.batch))
		xgd_refs_count_back(xd, credit);
}

/**
 * xgd_refs_alloc - take consecutive references for a device
 * @xd:		the device
 * @count:	how many, at least 1
 * @brief:	they will be given back soon, as those of a streaming mapping
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
static __always_inline int xgd_refs_alloc(struct xgd_device *xd, unsigned int count, bool brief,
					  grant_ref_t *first)
{
	s64 ret;

	if (brief && likely(count <= XGD_GROUP_REFS && !READ_ONCE(xd->refs.no_pool))) {
		if (likely(this_cpu_sub_return(xd->cpu->credit, (int)count) >= 0) &&
		    likely(xgd_group_take(count, first)))
			return 0;
		this_cpu_add(xd->cpu->credit, count);
	}

	/* By value: a variable whose address is known elsewhere is slower. */
	ret = xgd_refs_alloc_more(xd, count, brief);
	*first = ret;

	return min_t(s64, ret, 0);
}

/* The same as xgd_refs_free() for a run of the pool within one group. */
static __always_inline void xgd_refs_free_pooled(struct xgd_device *xd, grant_ref_t first,
						 unsigned int count)
{
	xgd_group_give(first, count);
	xgd_refs_uncharge(xd, count);
}

/**
 * xgd_lasting_addr - the address of a byte in a page that is granted for long
 * @xd:		the device
 * @ref:	its reference
 * @offset:	of the byte in the page
 *
 * Context: any.
 * Return: the DMA address. With mark_lasting= it says itself that it lasts.
 */
static inline dma_addr_t xgd_lasting_addr(const struct xgd_device *xd, grant_ref_t ref,
					  unsigned int offset)
{
	return xen_grant_dma_addr(ref, offset) | (xd->mode.mark_lasting ? XEN_GRANT_DMA_LASTS : 0);
}

/**
 * xgd_refs_free - give back references that are not granted
 * @xd:		their device
 * @first:	the first of them
 * @count:	how many of a run, may be none
 *
 * Context: any.
 */
static __always_inline void xgd_refs_free(struct xgd_device *xd, grant_ref_t first,
					  unsigned int count)
{
	if (unlikely(!count))
		return;

	if (likely(xgd_refs_pooled(first)) &&
	    likely(first % XGD_GROUP_REFS + count <= XGD_GROUP_REFS))
		xgd_refs_free_pooled(xd, first, count);
	else
		xgd_refs_free_more(xd, first, count);
}

/* What is granted is a private page. The entry is looked at when the mapping ends. */
static inline void xgd_refs_set_private(grant_ref_t ref, struct xgd_private *private, u8 flags)
{
	struct xgd_ref *entry = xgd_refs_known(ref);

	entry->private = private;
	WRITE_ONCE(entry->flags, entry->flags | XGD_REF_PRIVATE | flags);
}

/* Grant the Xen page with the number @frame. */
static __always_inline void xgd_refs_enter(const struct xgd_device *xd, grant_ref_t ref,
					   unsigned long frame, bool readonly)
{
	struct xgd_ref *entry = xgd_refs_known(ref);

	entry->page = pfn_to_page(frame / XEN_PFN_PER_PAGE);
	/* For xgd_refs_next_of() of another device. One store of all takes longer. */
	WRITE_ONCE(entry->part, frame % XEN_PFN_PER_PAGE);
	WRITE_ONCE(entry->flags, readonly ? XGD_REF_READONLY : 0);
	WRITE_ONCE(entry->owner, xd->id);
	/*
	 * pfn_to_gfn() counts in Xen pages. On a PV guest consecutive frames are not
	 * consecutive for Xen, so it is asked for each of them.
	 */
	gnttab_grant_foreign_access_ref(ref, xd->domid, pfn_to_gfn(frame), readonly);
}

/**
 * xgd_refs_grant - let the backend reach consecutive Xen pages in place
 * @xd:		the device
 * @first:	the first of as many references of it
 * @count:	how many Xen pages
 * @phys:	guest physical address of any byte of the first one
 * @readonly:	the backend needs only to read
 *
 * Source: public/grant_table.h of Xen, "Introducing a valid entry into the grant
 * table".
 *
 * Context: any.
 */
static __always_inline void xgd_refs_grant(const struct xgd_device *xd, grant_ref_t first,
					   unsigned int count, phys_addr_t phys, bool readonly)
{
	unsigned long frame = XEN_PFN_DOWN(phys), end = frame + count;

	for (readonly = readonly && !xd->mode.rw_grants; frame < end; frame++)
		xgd_refs_enter(xd, first++, frame, readonly);
}

#endif /* XGD_REFS_H */
