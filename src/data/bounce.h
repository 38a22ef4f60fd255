/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_BOUNCE_H
#define XGD_BOUNCE_H

#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "device.h"
#include "refs.h"
#include "runs.h"

/* What is copied must have an address: highmem of 32-bit kernels has none. */
#ifndef CONFIG_64BIT
#error "xen_grant_dma needs a 64-bit kernel"
#endif

/**
 * struct xgd_private - a Xen page that only this driver and the backend see
 * @list:	in the list of spare pages
 * @page:	its memory; one reference to it is held
 * @vaddr:	the same
 * @block:	what it is part of, NULL for one that is granted as part of a run, and
 *		for one of a ring
 * @room:	for one of a ring: what is behind the ring
 * @phys:	without @block: the memory whose bytes it has
 * @offset:	without @block: where in the page they begin
 * @len:	without @block: how many bytes
 */
struct xgd_private {
	struct list_head	list;
	struct page		*page;
	void			*vaddr;
	struct xgd_block	*block;
	struct xgd_room		*room;
	phys_addr_t		phys;
	u16			offset;
	u16			len;
};

/**
 * struct xgd_unit - a part of a block
 * @vaddr:	its memory
 * @phys:	the memory whose bytes it has
 * @len:	how many bytes the buffer has from here on, in this unit and those
 *		behind it
 *
 * A unit that is not free belongs to whoever mapped it.
 */
struct xgd_unit {
	void		*vaddr;
	phys_addr_t	phys;
	u32		len;
};

/**
 * struct xgd_block - units of one size, granted for good
 * @free:	which units can be taken
 * @addr:	DMA address of the first unit
 * @all:	which units there are; none after the pages were given back
 * @shift:	log2 of the size of a unit in bytes
 * @readonly:	granted for reading only
 * @reserved:	not given back for being idle
 * @idle:	no unit was taken when this was last looked at
 * @user:	the CPU that goes on with this block, or -1
 * @units:	how many units there can be
 * @pages:	how many Xen pages
 * @list:	with others of the same access and size
 * @unit:	the units
 *
 * It lives as long as its device, so that whoever still knows it may look at @free.
 */
struct xgd_block {
	atomic64_t		free;
	dma_addr_t		addr;
	u64			all;
	u8			shift;
	bool			readonly;
	bool			reserved;
	bool			idle;
	int			user;
	unsigned int		units;
	unsigned int		pages;
	struct list_head	list;
	struct xgd_unit		unit[];
};

void xgd_bounce_init(struct xgd_device *xd);
int xgd_bounce_reserve(struct xgd_device *xd);
void xgd_bounce_close(struct xgd_device *xd);
void xgd_bounce_exit(struct xgd_device *xd);

dma_addr_t xgd_bounce_map_more(struct xgd_device *xd, phys_addr_t phys, size_t size,
			       bool readonly, unsigned int shift);
void xgd_copy_more(const struct xgd_unit *unit, unsigned int offset, size_t size, bool to_device);

struct xgd_private *xgd_bounce_get(struct xgd_device *xd, phys_addr_t phys, size_t size);
void xgd_bounce_put(struct xgd_device *xd, struct xgd_private *private);
struct page *xgd_bounce_disown(struct xgd_device *xd, struct xgd_private *private);
void xgd_bounce_sync_part(const struct xgd_private *private, unsigned int offset, size_t size,
			  bool to_device);
void xgd_bounce_copy_back(const struct xgd_private *private);

struct xgd_private *xgd_bounce_adopt(struct xgd_device *xd, void *vaddr, gfp_t gfp);
size_t xgd_bounce_bytes(struct xgd_device *xd, unsigned int pages);
unsigned int xgd_bounce_take_idle(struct xgd_device *xd, grant_ref_t *first);
bool xgd_bounce_find_idle(struct xgd_device *xd);
void xgd_bounce_tidy_later(struct xgd_device *xd);

static __always_inline void xgd_fill_unit(struct xgd_unit *unit, phys_addr_t phys, size_t size,
					  unsigned int part)
{
	unit->phys = phys;
	unit->len = size;
	/* With a bound next to it the compiler copies without a call. */
	OPTIMIZER_HIDE_VAR(part);
	memcpy(unit->vaddr, phys_to_virt(phys), min_t(unsigned int, part, XEN_PAGE_SIZE));
}

static inline dma_addr_t xgd_unit_addr(const struct xgd_block *block, unsigned int unit)
{
	return block->addr + ((dma_addr_t)unit << block->shift);
}

static inline unsigned int xgd_unit_of(const struct xgd_block *block, dma_addr_t addr)
{
	return (addr - block->addr) >> block->shift;
}

/**
 * xgd_bounce_map - copy a buffer to where the backend can reach it
 * @xd:		the device
 * @phys:	physical address of the buffer
 * @size:	its size in bytes, 1 to XGD_COPY_MAX
 * @readonly:	grant it for reading only
 *
 * Context: any.
 * Return: its DMA address, or DMA_MAPPING_ERROR when there is no memory.
 */
static __always_inline dma_addr_t xgd_bounce_map(struct xgd_device *xd, phys_addr_t phys,
						 size_t size, bool readonly)
{
	unsigned int shift = XGD_SLOT_SHIFT_MIN;
	struct xgd_block *block;
	int unit;

	if (size > BIT(XGD_SLOT_SHIFT_MIN))
		shift = min(fls(size - 1), XEN_PAGE_SHIFT);

	block = this_cpu_read(xd->cpu->block[readonly][shift - XGD_SLOT_SHIFT_MIN]);
	if (unlikely(!block || size > XEN_PAGE_SIZE))
		return xgd_bounce_map_more(xd, phys, size, readonly, shift);

	unit = xgd_take_one(&block->free);
	if (unlikely(unit < 0))
		return xgd_bounce_map_more(xd, phys, size, readonly, shift);

	xgd_fill_unit(&block->unit[unit], phys, size, size);

	return xgd_unit_addr(block, unit);
}

static inline unsigned int xgd_unit_offset(const struct xgd_block *block, dma_addr_t addr)
{
	return addr & (BIT(block->shift) - 1);
}

/* Is it mapped, for so many bytes from its beginning? */
static __always_inline bool xgd_unit_holds(const struct xgd_block *block, unsigned int unit,
					   size_t size)
{
	return !(atomic64_read(&block->free) & BIT_ULL(unit)) && size <= block->unit[unit].len;
}

/* Copy between a buffer, or a part of it, and its unit or units. */
static __always_inline void xgd_copy(const struct xgd_unit *unit, unsigned int offset, size_t size,
				     bool to_device)
{
	void *copy, *memory;

	if (unlikely(offset + size > XEN_PAGE_SIZE)) {
		xgd_copy_more(unit, offset, size, to_device);
		return;
	}

	/* As in xgd_fill_unit(). */
	OPTIMIZER_HIDE_VAR(size);
	size = min_t(unsigned int, size, XEN_PAGE_SIZE);
	memory = phys_to_virt(unit->phys + offset);
	copy = unit->vaddr + offset;
	if (to_device)
		memcpy(copy, memory, size);
	else
		memcpy(memory, copy, size);
}

/* Copy a part of a buffer that has units of a block; false: that is not mapped. */
static __always_inline bool xgd_block_sync(const struct xgd_block *block, dma_addr_t addr,
					   size_t size, bool to_device)
{
	unsigned int unit = xgd_unit_of(block, addr), offset = xgd_unit_offset(block, addr);

	if (unlikely(!xgd_unit_holds(block, unit, offset + size)))
		return false;

	xgd_copy(&block->unit[unit], offset, size, to_device);

	return true;
}

/* Give up a buffer's units of a block; false: that is not mapped. */
static __always_inline bool xgd_block_unmap(struct xgd_block *block, dma_addr_t addr, size_t size,
					    bool copy_back)
{
	unsigned int unit = xgd_unit_of(block, addr);

	if (unlikely(xgd_unit_offset(block, addr) || !xgd_unit_holds(block, unit, size)))
		return false;

	if (copy_back)
		xgd_copy(&block->unit[unit], 0, size, false);
	xgd_give_run(&block->free, unit, ((size - 1) >> block->shift) + 1);

	return true;
}

/**
 * xgd_bounce_sync - copy a part of a buffer that lies in pages which stay granted
 * @private:	the page in which the part begins
 * @addr:	its DMA address
 * @size:	in bytes, at least 1
 * @to_device:	to the private pages, not from them
 *
 * Context: any.
 * Return: false: that is not mapped, and nothing was done.
 */
static __always_inline bool xgd_bounce_sync(const struct xgd_private *private, dma_addr_t addr,
					    size_t size, bool to_device)
{
	return xgd_block_sync(private->block, addr, size, to_device);
}

/**
 * xgd_bounce_unmap - give up the copy of a buffer
 * @private:	the page that it begins in
 * @addr:	its DMA address
 * @size:	in bytes, at least 1
 * @copy_back:	the device may have written to it
 *
 * Context: any.
 * Return: false: that is not mapped, and nothing was done.
 */
static __always_inline bool xgd_bounce_unmap(const struct xgd_private *private, dma_addr_t addr,
					     size_t size, bool copy_back)
{
	return xgd_block_unmap(private->block, addr, size, copy_back);
}

#endif /* XGD_BOUNCE_H */
