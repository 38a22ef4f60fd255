// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room behind rings: what is left of a ring's last page has small pieces in it.
 *
 * A backend keeps the rings mapped for as long as the queue lives. QEMU maps a page that
 * it has mapped already, whole and with the same access, at no cost; so headers,
 * descriptor tables and status bytes that lie there cost no map. It maps avail for
 * reading and used for writing, each as the pages that it touches: where that is one page
 * there is room behind it, and where both are in the same page, for both. That is so with
 * up to 256 entries, so rings are made no larger: the virtio core asks for half of the
 * entries when it gets no memory for all.
 *
 * The page is granted for writing, as rings are. So a backend may write to the copy of a
 * piece that it is to read. Nobody reads that copy again.
 *
 * The page outlives the ring if there are pieces in it: the module has a reference of its
 * own to it, and it stays granted until the last piece is gone.
 */
#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_ring.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "bounce.h"
#include "refs.h"
#include "room.h"
#include "runs.h"

#define XGD_UNIT_SHIFT		4
#define XGD_UNIT_SIZE		BIT(XGD_UNIT_SHIFT)

/* Where pieces of both kinds share a page: so many to be written, if there is room. */
#define XGD_UNITS_WRITTEN	32

/* The descriptor table of a header, one buffer and a status: so many units. */
#define XGD_UNITS_TABLE		3

/* Rings have at most so many entries (virtio 1.3, 2.7). */
#define XGD_ENTRIES_MAX		32768

/* A CPU that finds no room in its own page looks in so many others. */
#define XGD_ROOM_TRIES		4

/**
 * struct xgd_ring - where the parts of a ring are that the backend keeps mapped
 * @entries:	how many it has, 0: it is no ring
 * @avail:	where avail begins, in bytes from the beginning of the ring
 * @avail_end:	where it ends
 * @used:	where used begins; it ends with the ring
 */
struct xgd_ring {
	unsigned int	entries;
	size_t		avail;
	size_t		avail_end;
	size_t		used;
};

/*
 * A ring is memory that is to be zeroed and has a size that only a ring has. Nothing else
 * tells it from other coherent memory, and nobody else is known to want such sizes. The
 * transports want used where a cache line (PCI) or a page (mmio) begins.
 */
static struct xgd_ring xgd_ring_of(size_t size, gfp_t gfp)
{
	static const unsigned long aligns[] = { SMP_CACHE_BYTES, PAGE_SIZE };
	struct xgd_ring ring = {};
	unsigned int i, entries;

	if (!(gfp & __GFP_ZERO))
		return ring;

	for (entries = 1; entries <= XGD_ENTRIES_MAX; entries *= 2) {
		for (i = 0; i < ARRAY_SIZE(aligns); i++) {
			if (vring_size(entries, aligns[i]) != size)
				continue;
			ring.entries = entries;
			ring.avail = entries * sizeof(struct vring_desc);
			ring.avail_end = ring.avail + (3 + entries) * sizeof(__virtio16);
			ring.used = ALIGN(ring.avail_end, aligns[i]);
			return ring;
		}
	}

	return ring;
}

/**
 * xgd_room_refuses - is it a ring that is to be smaller?
 * @xd:		the device
 * @size:	of coherent memory that is asked for
 * @gfp:	how
 *
 * With __GFP_NOWARN who asks can do without, and the virtio core goes on with half of the
 * entries. The last time it asks it does so without, or for few enough.
 *
 * Source: vring_alloc_queue_split() of Linux; virtio-pci and virtio-mmio have it reduce
 * the number.
 *
 * Context: any.
 * Return: whether there is to be no memory.
 */
bool xgd_room_refuses(const struct xgd_device *xd, size_t size, gfp_t gfp)
{
	return xd->mode.ring_entries && gfp & __GFP_NOWARN &&
	       xgd_ring_of(size, gfp).entries > xd->mode.ring_entries;
}

/* In which of the device's pages a CPU begins to look. Called with the lock held. */
static void xgd_room_assign(struct xgd_device *xd)
{
	struct xgd_rooms *rooms = &xd->rooms;
	unsigned int readonly, cpu, i, n;
	bool any = false;

	for (readonly = 0; readonly <= 1; readonly++) {
		struct xgd_block *open[XGD_ROOMS];

		for (i = 0, n = 0; i < XGD_ROOMS; i++)
			if (rooms->room[i].private && !rooms->room[i].closed &&
			    rooms->room[i].units[readonly])
				open[n++] = rooms->room[i].block[readonly];
		for_each_possible_cpu(cpu)
			/* For xgd_room_take(), which takes no lock. */
			smp_store_release(&per_cpu_ptr(xd->cpu, cpu)->room[readonly],
					  n ? open[cpu % n] : NULL);
		any |= n;
	}
	WRITE_ONCE(rooms->open, any);
}

static struct xgd_block *xgd_room_block(struct xgd_room *room, bool readonly, gfp_t gfp)
{
	struct xgd_block *block = room->block[readonly];

	if (!block) {
		block = kzalloc(struct_size(block, unit, XGD_RUN_MAX), gfp | __GFP_NOWARN);
		if (!block)
			return NULL;
		block->shift = XGD_UNIT_SHIFT;
		block->readonly = readonly;
		block->units = XGD_RUN_MAX;
		/* For xgd_room_search(). */
		smp_store_release(&room->block[readonly], block);
	}

	return block;
}

/* Whoever still knows a block of before may take units as soon as they are free. */
static void xgd_room_fill(struct xgd_block *block, void *vaddr, dma_addr_t addr,
			  unsigned int units)
{
	unsigned int i;

	block->addr = addr;
	block->all = xgd_run_mask(0, units);
	for (i = 0; i < units; i++)
		block->unit[i].vaddr = vaddr + i * XGD_UNIT_SIZE;
	atomic64_set_release(&block->free, block->all);
}

/**
 * xgd_room_gone - a page of a ring is not granted any more, or is late
 * @xd:		the device
 * @private:	the page, if it is one of a ring
 *
 * Context: any.
 */
void xgd_room_gone(struct xgd_device *xd, struct xgd_private *private)
{
	struct xgd_rooms *rooms = &xd->rooms;
	struct xgd_room *room = private->room;
	unsigned int readonly;
	unsigned long flags;

	if (!room)
		return;

	spin_lock_irqsave(&rooms->lock, flags);
	for (readonly = 0; readonly <= 1; readonly++)
		if (room->block[readonly])
			atomic64_set(&room->block[readonly]->free, 0);
	room->private = NULL;
	private->room = NULL;
	xgd_room_assign(xd);
	spin_unlock_irqrestore(&rooms->lock, flags);
}

static struct xgd_room *xgd_room_find_vacant(struct xgd_rooms *rooms)
{
	unsigned int i;

	for (i = 0; i < XGD_ROOMS; i++)
		if (!rooms->room[i].private)
			return &rooms->room[i];

	return NULL;
}

/* A page of a ring, of which the bytes from @begin on are left for so many units. */
static void xgd_room_add_page(struct xgd_device *xd, void *vaddr, grant_ref_t ref, size_t begin,
			      const unsigned int units[2], gfp_t gfp)
{
	struct xgd_private *private = xgd_bounce_adopt(xd, vaddr, gfp);
	struct xgd_rooms *rooms = &xd->rooms;
	struct xgd_room *room;
	unsigned int readonly;
	unsigned long flags;

	if (!private)
		return;

	spin_lock_irqsave(&rooms->lock, flags);
	room = xgd_room_find_vacant(rooms);
	if (room) {
		room->private = private;
		room->ref = ref;
		WRITE_ONCE(room->closed, false);
		private->room = room;
	}
	spin_unlock_irqrestore(&rooms->lock, flags);
	if (!room)
		goto disown;

	for (readonly = 0; readonly <= 1; readonly++)
		room->units[readonly] = units[readonly] && xgd_room_block(room, readonly, gfp) ?
					units[readonly] : 0;
	/* Nobody could claim what has no units. */
	if (!room->units[0] && !room->units[1]) {
		xgd_room_gone(xd, private);
		goto disown;
	}

	xgd_refs_set_private(ref, private, XGD_REF_RING);
	for (readonly = 0; readonly <= 1; readonly++) {
		if (!room->units[readonly])
			continue;
		xgd_room_fill(room->block[readonly], vaddr + begin,
			      xgd_lasting_addr(xd, ref, begin),
			      room->units[readonly]);
		begin += room->units[readonly] * XGD_UNIT_SIZE;
	}

	spin_lock_irqsave(&rooms->lock, flags);
	xgd_room_assign(xd);
	spin_unlock_irqrestore(&rooms->lock, flags);
	return;

disown:
	/* It is still a ring: no page to be spared. */
	put_page(xgd_bounce_disown(xd, private));
}

/* How many units there are from an offset in a page on. */
static unsigned int xgd_room_units(size_t *begin)
{
	*begin = ALIGN(*begin, XGD_UNIT_SIZE);

	return (XEN_PAGE_SIZE - *begin) >> XGD_UNIT_SHIFT;
}

/* Behind @end, which lies in or at the end of the page that has the byte before it. */
static void xgd_room_add_behind(struct xgd_device *xd, void *vaddr, grant_ref_t first, size_t end,
				bool written, bool read, gfp_t gfp)
{
	unsigned int page = (end - 1) / XEN_PAGE_SIZE, units[2] = {}, all;
	size_t begin = end - page * XEN_PAGE_SIZE;

	all = xgd_room_units(&begin);
	if (written && read) {
		units[0] = clamp_t(int, all - XGD_RUN_MAX, min(all / 2, XGD_UNITS_WRITTEN),
				   XGD_RUN_MAX);
		units[1] = min(all - units[0], XGD_RUN_MAX);
	} else {
		units[read] = min(all, XGD_RUN_MAX);
	}
	if (units[0] || units[1])
		xgd_room_add_page(xd, vaddr + page * XEN_PAGE_SIZE, first + page, begin, units,
				  gfp);
}

static void xgd_room_add_split(struct xgd_device *xd, void *vaddr, grant_ref_t first,
			       const struct xgd_ring *ring, size_t size, gfp_t gfp)
{
	size_t avail = ring->avail / XEN_PAGE_SIZE, used = ring->used / XEN_PAGE_SIZE;
	bool read = avail == (ring->avail_end - 1) / XEN_PAGE_SIZE;
	bool written = used == (size - 1) / XEN_PAGE_SIZE;

	if (avail == used) {
		if (written)
			xgd_room_add_behind(xd, vaddr, first, size, true, true, gfp);
		return;
	}
	if (read)
		xgd_room_add_behind(xd, vaddr, first, ring->avail_end, false, true, gfp);
	if (written)
		xgd_room_add_behind(xd, vaddr, first, size, true, false, gfp);
}

/**
 * xgd_room_add - see what is left of a ring's pages
 * @xd:		the device
 * @vaddr:	coherent memory that may be a ring
 * @first:	its first reference
 * @size:	its size in bytes
 * @gfp:	how it was allocated
 *
 * With packed rings the words for events, of the driver and then of the device, are pages
 * of their own, the first of which the backend maps for reading and the other for writing.
 *
 * Context: as @gfp says.
 */
void xgd_room_add(struct xgd_device *xd, void *vaddr, grant_ref_t first, size_t size, gfp_t gfp)
{
	struct xgd_ring ring;

	if (!xd->mode.ring_entries)
		return;

	ring = xgd_ring_of(size, gfp);
	if (ring.entries) {
		xgd_room_add_split(xd, vaddr, first, &ring, size, gfp);
	} else if (size == sizeof(struct vring_packed_desc_event) &&
		   (gfp & (__GFP_ZERO | __GFP_NOWARN)) == (__GFP_ZERO | __GFP_NOWARN)) {
		bool read = atomic_inc_return(&xd->rooms.words) % 2;

		xgd_room_add_behind(xd, vaddr, first, SMP_CACHE_BYTES, !read, read, gfp);
	}
}

/* Nobody has a unit of a block, and nobody gets one. */
static bool xgd_block_claim(struct xgd_block *block)
{
	s64 all = block->all;

	return atomic64_try_cmpxchg(&block->free, &all, 0);
}

/* The same for all of a page. Called with the lock held. */
static bool xgd_room_claim(struct xgd_room *room)
{
	if (room->units[0] && !xgd_block_claim(room->block[0]))
		return false;
	if (room->units[1] && !xgd_block_claim(room->block[1])) {
		if (room->units[0])
			atomic64_set_release(&room->block[0]->free, room->block[0]->all);
		return false;
	}

	return true;
}

/**
 * xgd_room_keeps - a ring goes: does a page of it have to stay?
 * @xd:		the device
 * @ref:	reference of a page of coherent memory
 *
 * Context: any.
 * Return: true: there are pieces in it; it is revoked when they are gone.
 */
bool xgd_room_keeps(struct xgd_device *xd, grant_ref_t ref)
{
	const struct xgd_ref *entry = xgd_refs_known(ref);
	struct xgd_rooms *rooms = &xd->rooms;
	struct xgd_room *room;
	unsigned long flags;
	bool claimed;

	if (!(entry->flags & XGD_REF_RING))
		return false;
	room = entry->private->room;

	spin_lock_irqsave(&rooms->lock, flags);
	WRITE_ONCE(room->closed, true);
	xgd_room_assign(xd);
	claimed = xgd_room_claim(room);
	spin_unlock_irqrestore(&rooms->lock, flags);
	if (!claimed)
		xgd_bounce_tidy_later(xd);

	return !claimed;
}

/**
 * xgd_room_take_closed - take a page of a ring that is gone, and its pieces, too
 * @xd:	the device
 *
 * Context: any.
 * Return: its reference, to be revoked; XGD_REF_NONE: there is none now.
 */
grant_ref_t xgd_room_take_closed(struct xgd_device *xd)
{
	struct xgd_rooms *rooms = &xd->rooms;
	grant_ref_t ref = XGD_REF_NONE;
	struct xgd_room *room;
	bool waits = false;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&rooms->lock, flags);
	for (i = 0; i < XGD_ROOMS && ref == XGD_REF_NONE; i++) {
		room = &rooms->room[i];
		if (!room->private || !room->closed)
			continue;
		waits = true;
		if (xgd_room_claim(room))
			ref = room->ref;
	}
	spin_unlock_irqrestore(&rooms->lock, flags);
	if (waits)
		xgd_bounce_tidy_later(xd);

	return ref;
}

/**
 * xgd_room_bytes - how much memory it takes to know of all this
 * @xd:	the device
 *
 * Context: any.
 * Return: bytes, without what is part of the device's structure.
 */
size_t xgd_room_bytes(const struct xgd_device *xd)
{
	struct xgd_block *block;
	unsigned int i, readonly;
	size_t bytes = 0;

	for (i = 0; i < XGD_ROOMS; i++) {
		for (readonly = 0; readonly <= 1; readonly++) {
			block = READ_ONCE(xd->rooms.room[i].block[readonly]);
			bytes += block ? struct_size(block, unit, XGD_RUN_MAX) : 0;
		}
	}

	return bytes;
}

/**
 * xgd_room_exit - free what is left when nothing is granted any more
 * @xd:	the device
 *
 * Context: process.
 */
void xgd_room_exit(struct xgd_device *xd)
{
	unsigned int i;

	for (i = 0; i < XGD_ROOMS; i++) {
		kfree(xd->rooms.room[i].block[0]);
		kfree(xd->rooms.room[i].block[1]);
	}
}

/*
 * Take units in a row. A table that lies elsewhere costs no map if its header, which is
 * mapped for longer, is there, too: so what is left in the end is for tables.
 */
static int xgd_room_take_units(struct xgd_block *block, unsigned int count)
{
	if (block->readonly && count < XGD_UNITS_TABLE &&
	    hweight64(atomic64_read(&block->free)) <= XGD_UNITS_TABLE)
		return -1;

	return xgd_take_run(&block->free, count);
}

/* In some of the other pages. */
static struct xgd_block *xgd_room_search(struct xgd_device *xd, bool readonly,
					 unsigned int count, int *first)
{
	unsigned int i, tries = 0, at = raw_smp_processor_id();
	struct xgd_block *block;
	struct xgd_room *room;

	for (i = 0; i < XGD_ROOMS && tries < XGD_ROOM_TRIES; i++) {
		room = &xd->rooms.room[(at + i) % XGD_ROOMS];
		/* See xgd_room_block(). */
		block = smp_load_acquire(&room->block[readonly]);
		if (!block || READ_ONCE(room->closed))
			continue;
		*first = xgd_room_take_units(block, count);
		if (*first >= 0)
			return block;
		tries++;
	}

	return NULL;
}

/**
 * xgd_room_take - copy a piece to behind a ring
 * @xd:		the device
 * @phys:	physical address of the piece
 * @size:	its size in bytes, 1 to XGD_ROOM_PIECE
 * @readonly:	the backend needs only to read
 *
 * Context: any.
 * Return: its DMA address, or DMA_MAPPING_ERROR when there is no room.
 */
dma_addr_t xgd_room_take(struct xgd_device *xd, phys_addr_t phys, size_t size, bool readonly)
{
	unsigned int i, count = DIV_ROUND_UP(size, XGD_UNIT_SIZE);
	struct xgd_block *block = this_cpu_read(xd->cpu->room[readonly]);
	struct xgd_unit *unit;
	int first = -1;

	if (block)
		first = xgd_room_take_units(block, count);
	if (first < 0)
		block = xgd_room_search(xd, readonly, count, &first);
	if (!block)
		return DMA_MAPPING_ERROR;

	unit = &block->unit[first];
	for (i = 0; i < count; i++) {
		unit[i].phys = phys + i * XGD_UNIT_SIZE;
		unit[i].len = size - i * XGD_UNIT_SIZE;
	}
	xgd_copy(unit, 0, size, true);
	this_cpu_inc(xd->cpu->beside_rings);

	return xgd_unit_addr(block, first);
}

/* Where an address is, or NULL: there is no such piece. */
static struct xgd_block *xgd_room_find(const struct xgd_private *private, dma_addr_t addr)
{
	const struct xgd_room *room = private->room;
	struct xgd_block *block;
	unsigned int i;

	for (i = 0; i <= 1; i++) {
		block = room->block[i];
		if (room->units[i] && addr >= block->addr &&
		    xgd_unit_of(block, addr) < room->units[i])
			return block;
	}

	return NULL;
}

/**
 * xgd_room_sync - copy a part of a piece
 * @private:	the page in which it is
 * @addr:	its DMA address
 * @size:	in bytes, at least 1
 * @to_device:	to the copy, not from it
 *
 * Context: any.
 * Return: false: that is not mapped, and nothing was done.
 */
bool xgd_room_sync(const struct xgd_private *private, dma_addr_t addr, size_t size,
		   bool to_device)
{
	struct xgd_block *block = xgd_room_find(private, addr);

	return block && xgd_block_sync(block, addr, size, to_device);
}

/**
 * xgd_room_unmap - give up a piece
 * @private:	the page in which it is
 * @addr:	its DMA address
 * @size:	in bytes, at least 1
 * @copy_back:	the device may have written to it
 *
 * Context: any.
 * Return: false: that is not mapped, and nothing was done.
 */
bool xgd_room_unmap(const struct xgd_private *private, dma_addr_t addr, size_t size,
		    bool copy_back)
{
	struct xgd_block *block = xgd_room_find(private, addr);

	return block && xgd_block_unmap(block, addr, size, copy_back);
}
