/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_REFS_H
#define XGD_REFS_H

#include <linux/mm_types.h>
#include <xen/grant_table.h>

/* Ends a list of references. No table is that large. */
#define XGD_REF_NONE	U32_MAX

/**
 * struct xgd_ref - what this module knows of one grant reference
 * @page:	the page that is granted; for a late reference the page that is
 *		pinned, or NULL when it could not be
 * @next:	next in a list of late references
 * @owner:	id of the device, 0 for a reference that is not in use here
 * @late:	in its device's list of late references
 *
 * An entry belongs to whoever allocated the reference; nobody else reads or
 * writes it while @owner is set.
 */
struct xgd_ref {
	struct page	*page;
	grant_ref_t	next;
	u16		owner;
	u16		late;
};

int xgd_refs_init(void);
void xgd_refs_exit(void);
unsigned int xgd_refs_max_run(void);
int xgd_refs_alloc(unsigned int count, grant_ref_t *first);
void xgd_refs_grant(grant_ref_t ref, u16 owner, domid_t domid, phys_addr_t phys,
		    bool readonly);
struct xgd_ref *xgd_refs_entry(u64 ref);
grant_ref_t xgd_refs_next_of(u16 owner, grant_ref_t from);

#endif /* XGD_REFS_H */
