/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_REVOKE_H
#define XGD_REVOKE_H

#include "device.h"
#include "refs.h"

int xgd_revoke_module_init(void);
void xgd_revoke_module_exit(void);
void xgd_revoke_init(struct xgd_device *xd);
unsigned int xgd_revoke_more(struct xgd_device *xd, grant_ref_t first, unsigned int count,
			     bool copy_back);
unsigned int xgd_revoke_all(struct xgd_device *xd);
bool xgd_revoke_wait(struct xgd_device *xd, unsigned int ms);

/**
 * xgd_revoke - end the backend's access to a run of references
 * @xd:		their device
 * @first:	the first reference
 * @count:	how many
 * @copy_back:	copy private pages of a run to the memory that they stand for
 *
 * References that the backend does not map are free afterwards. For the others
 * the page is pinned and they are ended later: the caller may free the memory.
 * Private pages are given back, then or later.
 *
 * Source: public/grant_table.h of Xen, "Invalidating an unused GTF_permit_access
 * entry"; gnttab_try_end_foreign_access() of Linux.
 *
 * Context: any. The caller owns the memory until this returns.
 * Return: how many pages the backend still maps.
 */
static __always_inline unsigned int xgd_revoke(struct xgd_device *xd, grant_ref_t first,
					       unsigned int count, bool copy_back)
{
	struct xgd_ref *entry = xgd_refs_known(first);

	if (count != 1 || unlikely(entry->flags & XGD_REF_PRIVATE) ||
	    unlikely(!xgd_refs_pooled(first)) || unlikely(READ_ONCE(xd->refs.no_pool)))
		return xgd_revoke_more(xd, first, count, copy_back);

	if (unlikely(!gnttab_end_foreign_access_ref(first))) {
		/* See xgd_revoke_pooled(). */
		WRITE_ONCE(xd->refs.no_pool, true);
		return xgd_revoke_more(xd, first, 1, copy_back);
	}

	WRITE_ONCE(entry->owner, 0);
	xgd_refs_free_pooled(xd, first, 1);

	return 0;
}

#endif /* XGD_REVOKE_H */
