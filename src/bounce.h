/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_BOUNCE_H
#define XGD_BOUNCE_H

#include "device.h"
#include "refs.h"

#define XGD_SLOTS_MAX	BIT(XEN_PAGE_SHIFT - XGD_SLOT_SHIFT_MIN)

/**
 * struct xgd_private - a Xen page that only this driver and the backend see
 * @list:	in one of the lists of struct xgd_bounce
 * @page:	its memory; one reference to it is held
 * @vaddr:	the same
 * @ref:	its reference, unless it is spare
 * @readonly:	granted for reading only
 * @shift:	log2 of the size of its slots in bytes; a page that is part of a run
 *		has one slot
 * @offset:	where the first slot begins, in bytes
 * @free:	bit i: slot i is free
 * @phys:	of each slot: the memory whose bytes it has
 * @len:	of each slot: how many bytes
 *
 * A slot that is not free belongs to whoever mapped it. The rest is protected by
 * the lock of struct xgd_bounce.
 */
struct xgd_private {
	struct list_head	list;
	struct page		*page;
	void			*vaddr;
	grant_ref_t		ref;
	bool			readonly;
	u8			shift;
	u16			offset;
	u64			free;
	phys_addr_t		phys[XGD_SLOTS_MAX];
	u16			len[XGD_SLOTS_MAX];
};

void xgd_bounce_init(struct xgd_device *xd);
int xgd_bounce_reserve(struct xgd_device *xd);
void xgd_bounce_close(struct xgd_device *xd);

dma_addr_t xgd_bounce_map(struct xgd_device *xd, phys_addr_t phys, size_t size, bool readonly);
grant_ref_t xgd_bounce_unmap(struct xgd_device *xd, struct xgd_private *private,
			     unsigned int offset);

struct xgd_private *xgd_bounce_get(struct xgd_device *xd, grant_ref_t ref,
				   phys_addr_t phys, size_t size);
void xgd_bounce_put(struct xgd_device *xd, struct xgd_private *private);
struct page *xgd_bounce_disown(struct xgd_device *xd, struct xgd_private *private);

bool xgd_bounce_holds(const struct xgd_private *private, unsigned int offset, size_t size);
void xgd_bounce_copy(const struct xgd_private *private, unsigned int offset, size_t size,
		     bool to_device);

#endif /* XGD_BOUNCE_H */
