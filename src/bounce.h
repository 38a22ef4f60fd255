/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_BOUNCE_H
#define XGD_BOUNCE_H

#include "device.h"
#include "refs.h"
#include "runs.h"

/* The longest buffer that can be copied to pages which stay granted, in bytes. */
#define XGD_COPY_MAX	(XGD_RUN_MAX * XEN_PAGE_SIZE)

/**
 * struct xgd_private - a Xen page that only this driver and the backend see
 * @list:	in the list of spare pages
 * @page:	its memory; one reference to it is held
 * @vaddr:	the same
 * @block:	what it is part of, NULL for one that is granted as part of a run
 * @phys:	without @block: the memory whose bytes it has
 * @offset:	without @block: where in the page they begin
 * @len:	without @block: how many bytes
 */
struct xgd_private {
	struct list_head	list;
	struct page		*page;
	void			*vaddr;
	struct xgd_block	*block;
	phys_addr_t		phys;
	u16			offset;
	u16			len;
};

void xgd_bounce_init(struct xgd_device *xd);
int xgd_bounce_reserve(struct xgd_device *xd);
void xgd_bounce_close(struct xgd_device *xd);
void xgd_bounce_exit(struct xgd_device *xd);

dma_addr_t xgd_bounce_map(struct xgd_device *xd, phys_addr_t phys, size_t size, bool readonly);
void xgd_bounce_unmap(struct xgd_private *private, dma_addr_t addr);

struct xgd_private *xgd_bounce_get(struct xgd_device *xd, phys_addr_t phys, size_t size);
void xgd_bounce_put(struct xgd_device *xd, struct xgd_private *private);
struct page *xgd_bounce_disown(struct xgd_device *xd, struct xgd_private *private);

bool xgd_bounce_holds(const struct xgd_private *private, dma_addr_t addr, size_t size);
void xgd_bounce_copy(const struct xgd_private *private, dma_addr_t addr, size_t size,
		     bool to_device);

unsigned int xgd_bounce_take_idle(struct xgd_device *xd, grant_ref_t *first);
bool xgd_bounce_find_idle(struct xgd_device *xd);

#endif /* XGD_BOUNCE_H */
