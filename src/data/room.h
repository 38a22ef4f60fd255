/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_ROOM_H
#define XGD_ROOM_H

#include <linux/dma-mapping.h>
#include <linux/gfp.h>

#include "device.h"
#include "refs.h"

/* The largest piece that lies behind a ring, in bytes. */
#define XGD_ROOM_PIECE		128

bool xgd_room_refuses(const struct xgd_device *xd, size_t size, gfp_t gfp);
void xgd_room_add(struct xgd_device *xd, void *vaddr, grant_ref_t first, size_t size, gfp_t gfp);
bool xgd_room_keeps(struct xgd_device *xd, grant_ref_t ref);
grant_ref_t xgd_room_take_closed(struct xgd_device *xd);
void xgd_room_gone(struct xgd_device *xd, struct xgd_private *private);
size_t xgd_room_bytes(const struct xgd_device *xd);
void xgd_room_exit(struct xgd_device *xd);

dma_addr_t xgd_room_take(struct xgd_device *xd, phys_addr_t phys, size_t size, bool readonly);
bool xgd_room_sync(const struct xgd_private *private, dma_addr_t addr, size_t size,
		   bool to_device);
bool xgd_room_unmap(const struct xgd_private *private, dma_addr_t addr, size_t size,
		    bool copy_back);

/**
 * xgd_room_has - is there room behind any ring?
 * @xd:	the device
 *
 * Context: any.
 * Return: whether to ask xgd_room_take() for small pieces.
 */
static __always_inline bool xgd_room_has(const struct xgd_device *xd)
{
	return READ_ONCE(xd->rooms.open);
}

#endif /* XGD_ROOM_H */
