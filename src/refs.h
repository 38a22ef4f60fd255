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
#define XGD_REF_SLOTS		BIT(2)	/* of a private page that has slots */
#define XGD_REF_READONLY	BIT(3)	/* granted for reading only */

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

int xgd_refs_init(void);
void xgd_refs_exit(void);
unsigned int xgd_refs_max_run(void);
unsigned int xgd_refs_limit(unsigned int wanted);
int xgd_refs_alloc(struct xgd_device *xd, unsigned int count, grant_ref_t *first);
void xgd_refs_free(struct xgd_device *xd, grant_ref_t first, unsigned int count);
void xgd_refs_grant(struct xgd_device *xd, grant_ref_t ref, phys_addr_t phys, bool readonly);
void xgd_refs_grant_private(struct xgd_device *xd, grant_ref_t ref,
			    struct xgd_private *private, phys_addr_t phys, bool readonly,
			    u8 flags);
struct xgd_ref *xgd_refs_entry(u64 ref);
grant_ref_t xgd_refs_next_of(u16 owner, grant_ref_t from);

#endif /* XGD_REFS_H */
