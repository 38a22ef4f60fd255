/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The wire format of virtio over Xen grants, for frontends and backends.
 *
 * An address that a frontend puts into a virtqueue is either a guest physical
 * address or, with the highest bit set, a grant:
 *
 *	63   62                                12 11           0
 *	+---+------------------------------------+--------------+
 *	| 1 |           grant reference          | byte in page |
 *	+---+------------------------------------+--------------+
 *
 * A page here is a Xen page of 4096 bytes, whatever the page size of either
 * side. A buffer that covers several Xen pages has consecutive references:
 * page i of the buffer is reference first + i.
 *
 * An extension, which no other frontend knows: with bit 62 set, too, the
 * reference leads to the same page with the same access whenever it appears,
 * until the device is reset. A backend may keep such a page mapped. One that does
 * not know the extension should refuse the address; not all do.
 */
#ifndef XEN_GRANT_DMA_H
#define XEN_GRANT_DMA_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define XEN_GRANT_DMA_FLAG		(1ULL << 63)
#define XEN_GRANT_DMA_LASTS		(1ULL << 62)
#define XEN_GRANT_DMA_PAGE_SHIFT	12
#define XEN_GRANT_DMA_PAGE_SIZE		(1UL << XEN_GRANT_DMA_PAGE_SHIFT)

/* Is this address a grant? */
static inline int xen_grant_dma_is_grant(uint64_t addr)
{
	return (addr & XEN_GRANT_DMA_FLAG) != 0;
}

/* Does the reference of a grant last until the device is reset? */
static inline int xen_grant_dma_lasts(uint64_t addr)
{
	return (addr & XEN_GRANT_DMA_LASTS) != 0;
}

/* The address of a byte in the page of a reference. */
static inline uint64_t xen_grant_dma_addr(uint32_t ref, unsigned int offset)
{
	return XEN_GRANT_DMA_FLAG |
	       ((uint64_t)ref << XEN_GRANT_DMA_PAGE_SHIFT) | offset;
}

/* The byte in its page that an address means. */
static inline unsigned int xen_grant_dma_offset(uint64_t addr)
{
	return addr & (XEN_GRANT_DMA_PAGE_SIZE - 1);
}

/*
 * The reference of an address that is a grant. A reference has 32 bits: a
 * backend must refuse an address for which this is wider.
 */
static inline uint64_t xen_grant_dma_ref(uint64_t addr)
{
	return (addr & ~(XEN_GRANT_DMA_FLAG | XEN_GRANT_DMA_LASTS)) >> XEN_GRANT_DMA_PAGE_SHIFT;
}

/* How many Xen pages, hence references, a buffer covers. */
static inline uint64_t xen_grant_dma_pages(uint64_t addr, uint64_t len)
{
	return (xen_grant_dma_offset(addr) + len + XEN_GRANT_DMA_PAGE_SIZE - 1) >>
	       XEN_GRANT_DMA_PAGE_SHIFT;
}

#endif /* XEN_GRANT_DMA_H */
