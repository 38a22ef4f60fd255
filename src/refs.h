/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_REFS_H
#define XGD_REFS_H

#include <linux/bits.h>
#include <linux/mm_types.h>
#include <xen/grant_table.h>

#include "device.h"

/* Ends a list of references. No table is that large. */
#define XGD_REF_NONE	U32_MAX

struct xgd_private;

/* Flags of a reference. */
#define XGD_REF_LATE		BIT(0)	/* in its device's list of late references */
#define XGD_REF_PRIVATE		BIT(1)	/* of a private page, not of somebody's memory */
#define XGD_REF_READONLY	BIT(2)	/* granted for reading only */

/**
 * struct xgd_ref - what this module knows of one grant reference
 * @page:	the page that is granted; for a late reference the page to give up
 *		in the end, or NULL when it could not be kept
 * @private:	with XGD_REF_PRIVATE: the private page that is granted
 * @next:	next in a list of late references
 * @owner:	id of the device, 0 for a reference that is not in use here
 * @flags:	XGD_REF_*
 * @part:	which Xen page of @page is granted
 *
 * An entry belongs to whoever allocated the reference; nobody else reads or
 * writes it while @owner is set.
 */
struct xgd_ref {
	union {
		struct page		*page;
		struct xgd_private	*private;
	};
	grant_ref_t	next;
	u16		owner;
	u8		flags;
	u8		part;
};

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

int xgd_refs_init(void);
void xgd_refs_exit(void);
unsigned int xgd_refs_max_run(void);
void xgd_refs_init_device(struct xgd_device *xd);
s64 xgd_refs_count(const struct xgd_device *xd);

int xgd_refs_alloc(struct xgd_device *xd, unsigned int count, bool brief, grant_ref_t *first);
void xgd_refs_free(struct xgd_device *xd, grant_ref_t first, unsigned int count);
bool xgd_refs_pooled(grant_ref_t ref);
bool xgd_refs_end_and_free(struct xgd_device *xd, grant_ref_t ref);

void xgd_refs_grant(struct xgd_device *xd, grant_ref_t ref, phys_addr_t phys, bool readonly);
void xgd_refs_grant_private(struct xgd_device *xd, grant_ref_t ref,
			    struct xgd_private *private, phys_addr_t phys, bool readonly);
grant_ref_t xgd_refs_next_of(u16 owner, grant_ref_t from);

#endif /* XGD_REFS_H */
