// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room behind rings: which memory is a ring, where pieces lie, and that a page lives as
 * long as there are any in it.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "data/bounce.h"
#include "data/dma.h"
#include "data/refs.h"
#include "data/revoke.h"
#include "data/room.h"
#include "unit.h"

/* As the virtio core asks for a ring that could be smaller. */
#define RING_GFP	(GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO)

/* What virtio-pci makes of 256 entries. */
#define ENTRIES		256
#define RING_SIZE	vring_size(ENTRIES, SMP_CACHE_BYTES)

/**
 * struct ring - memory of a device
 * @memory:	where it is
 * @addr:	its DMA address
 * @size:	in bytes
 */
struct ring {
	void		*memory;
	dma_addr_t	addr;
	size_t		size;
};

static struct xgd_device *room_device(struct kunit *test, unsigned int entries)
{
	struct xgd_mode mode = { .max_private = 4096, .ring_entries = entries };
	struct xgd_device *xd = unit_device(test, &mode);

	KUNIT_ASSERT_EQ(test, xgd_bounce_reserve(xd), 0);
	unit_attach(xd);

	return xd;
}

static struct ring room_ring(struct kunit *test, struct xgd_device *xd, size_t size)
{
	struct ring ring = { .size = size };

	ring.memory = dma_alloc_coherent(xd->dev, size, &ring.addr, RING_GFP);
	KUNIT_ASSERT_NOT_NULL(test, ring.memory);

	return ring;
}

static void room_free(struct xgd_device *xd, const struct ring *ring)
{
	dma_free_coherent(xd->dev, ring->size, ring->memory, ring->addr);
}

static grant_ref_t room_last(const struct ring *ring)
{
	return xen_grant_dma_ref(ring->addr + ring->size - 1);
}

static dma_addr_t room_map(struct kunit *test, struct xgd_device *xd, char *memory, size_t size,
			   enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_single(xd->dev, memory, size, dir);

	KUNIT_ASSERT_FALSE(test, dma_mapping_error(xd->dev, addr));

	return addr;
}

/* Do what else is done after half a minute. */
static void room_tidy(struct xgd_device *xd)
{
	mod_delayed_work(system_wq, &xd->bounce.tidy, 0);
	flush_delayed_work(&xd->bounce.tidy);
}

static bool room_refused(struct xgd_device *xd, size_t size, gfp_t gfp)
{
	dma_addr_t addr;
	void *memory = dma_alloc_coherent(xd->dev, size, &addr, gfp);

	if (memory)
		dma_free_coherent(xd->dev, size, memory, addr);

	return !memory;
}

/* Rings of more entries, and nothing else, and nobody who cannot do without. */
static void room_refuses(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	static const unsigned long aligns[] = { SMP_CACHE_BYTES, PAGE_SIZE };
	unsigned int i, entries;
	size_t size;

	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		for (entries = 16; entries <= 4096; entries *= 2) {
			size = vring_size(entries, aligns[i]);
			KUNIT_EXPECT_EQ(test, room_refused(xd, size, RING_GFP), entries > ENTRIES);
			KUNIT_EXPECT_FALSE(test, room_refused(xd, size, GFP_KERNEL | __GFP_ZERO));
			KUNIT_EXPECT_FALSE(test, room_refused(xd, size - 1, RING_GFP));
			KUNIT_EXPECT_FALSE(test, room_refused(xd, size + 2, RING_GFP));
			KUNIT_EXPECT_FALSE(test, room_refused(xd, PAGE_ALIGN(size), RING_GFP));
			KUNIT_EXPECT_FALSE(test, room_refused(xd, size,
							      GFP_KERNEL | __GFP_NOWARN));
		}
	}
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.failed), 0);
	KUNIT_EXPECT_EQ(test, xd->bounce.count, xd->bounce.spares + 2 * 3);
}

static void room_off(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, 0);
	char *piece = unit_pages(test, 0);
	struct ring ring;
	dma_addr_t addr;

	KUNIT_EXPECT_FALSE(test, room_refused(xd, vring_size(1024, SMP_CACHE_BYTES), RING_GFP));
	ring = room_ring(test, xd, RING_SIZE);
	addr = room_map(test, xd, piece, 16, DMA_TO_DEVICE);
	KUNIT_EXPECT_NE(test, xen_grant_dma_ref(addr), room_last(&ring));
	dma_unmap_single(xd->dev, addr, 16, DMA_TO_DEVICE);
	room_free(xd, &ring);
}

/* Pieces lie behind the ring, and the backend sees them and nothing of each other's. */
static void room_pieces(struct kunit *test)
{
	static const struct { unsigned int offset, size; } pieces[] = {
		{ 0, 1 }, { 100, 16 }, { 200, 48 }, { 301, 64 }, { 499, 128 }
	};
	struct xgd_device *xd = room_device(test, ENTRIES);
	struct ring ring = room_ring(test, xd, RING_SIZE);
	char *memory = unit_pages(test, 0), *at;
	unsigned int i, write, size, end = xen_offset_in_page(RING_SIZE);
	dma_addr_t addr[2][ARRAY_SIZE(pieces)];
	struct unit_map map;

	memset(memory, 's', PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		at = memory + pieces[i].offset;
		size = pieces[i].size;
		memset(at, 'a' + i, size);
		for (write = 0; write <= 1; write++) {
			addr[write][i] = room_map(test, xd, at, size,
						  write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
			KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(addr[write][i]), room_last(&ring));
			KUNIT_EXPECT_GE(test, xen_grant_dma_offset(addr[write][i]), end);
			KUNIT_EXPECT_TRUE(test, unit_sees(test, room_last(&ring),
							  xen_grant_dma_offset(addr[write][i]), at,
							  size));
		}
	}
	KUNIT_EXPECT_NULL(test, memchr(unit_see(test, room_last(&ring)), 's', XEN_PAGE_SIZE));

	/* The backend writes to all of it: just what it may write changes. */
	KUNIT_ASSERT_EQ(test, unit_map(room_last(&ring), false, &map), 0);
	unit_fill(&map, end, 'w', XEN_PAGE_SIZE - end);
	unit_unmap(&map);
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		at = memory + pieces[i].offset;
		size = pieces[i].size;
		dma_sync_single_for_cpu(xd->dev, addr[0][i], size, DMA_TO_DEVICE);
		dma_unmap_single(xd->dev, addr[0][i], size, DMA_TO_DEVICE);
		KUNIT_EXPECT_NULL(test, memchr_inv(at, 'a' + i, size));
		if (size > 20) {
			dma_sync_single_for_cpu(xd->dev, addr[1][i] + 18, 2, DMA_FROM_DEVICE);
			KUNIT_EXPECT_NULL(test, memchr_inv(at, 'a' + i, 18));
			KUNIT_EXPECT_NULL(test, memchr_inv(at + 18, 'w', 2));
			KUNIT_EXPECT_NULL(test, memchr_inv(at + 20, 'a' + i, size - 20));
		}
		dma_unmap_single(xd->dev, addr[1][i], size, DMA_FROM_DEVICE);
		KUNIT_EXPECT_NULL(test, memchr_inv(at, 'w', size));
		memset(at, 's', size);
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 's', PAGE_SIZE));
	room_free(xd, &ring);
	KUNIT_EXPECT_FALSE(test, unit_can(room_last(&ring), true));
}

#define MANY	100

/* More than there is room for: each has a place of its own. */
static void room_full(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	struct ring rings[2] = {
		room_ring(test, xd, RING_SIZE), room_ring(test, xd, RING_SIZE)
	};
	char *memory = unit_pages(test, 1);
	dma_addr_t *addr = kunit_kcalloc(test, MANY, sizeof(*addr), GFP_KERNEL);
	unsigned int i, inside = 0;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	for (i = 0; i < MANY; i++) {
		memset(memory + i * 60, i, 60);
		addr[i] = room_map(test, xd, memory + i * 60, 48, DMA_TO_DEVICE);
		inside += xen_grant_dma_ref(addr[i]) == room_last(&rings[0]) ||
			  xen_grant_dma_ref(addr[i]) == room_last(&rings[1]);
	}
	/* Of each page 59 units are to be read. */
	KUNIT_EXPECT_EQ(test, inside, 2 * (59 / 3));
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_TRUE(test, unit_sees(test, xen_grant_dma_ref(addr[i]),
						  xen_grant_dma_offset(addr[i]), memory + i * 60,
						  48));
	for (i = 0; i < MANY; i++)
		dma_unmap_single(xd->dev, addr[i], 48, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 2);
	room_free(xd, &rings[0]);
	room_free(xd, &rings[1]);
}

/* A ring goes before its pieces: they stay what they are, and so does the page. */
static void room_outlives(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	struct ring ring = room_ring(test, xd, RING_SIZE), next;
	char *memory = unit_pages(test, 0);
	grant_ref_t last = room_last(&ring);
	dma_addr_t read, written, other;
	struct unit_map map;

	memset(memory, 'p', PAGE_SIZE);
	read = room_map(test, xd, memory, 16, DMA_TO_DEVICE);
	written = room_map(test, xd, memory + 64, 20, DMA_FROM_DEVICE);
	room_free(xd, &ring);
	KUNIT_EXPECT_FALSE(test, unit_can(xen_grant_dma_ref(ring.addr), true));

	/* No new pieces come there, but to the next ring's page. */
	next = room_ring(test, xd, RING_SIZE);
	other = room_map(test, xd, memory + 128, 16, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(other), room_last(&next));

	room_tidy(xd);
	KUNIT_ASSERT_EQ(test, unit_map(last, false, &map), 0);
	KUNIT_EXPECT_EQ(test, unit_look(&map)[xen_grant_dma_offset(read)], 'p');
	unit_fill(&map, xen_grant_dma_offset(written), 'q', 20);
	unit_unmap(&map);
	dma_unmap_single(xd->dev, written, 20, DMA_FROM_DEVICE);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 64, 'q', 20));
	room_tidy(xd);
	KUNIT_EXPECT_TRUE(test, unit_can(last, true));

	dma_unmap_single(xd->dev, read, 16, DMA_TO_DEVICE);
	room_tidy(xd);
	KUNIT_EXPECT_FALSE(test, unit_can(last, true));

	dma_unmap_single(xd->dev, other, 16, DMA_TO_DEVICE);
	room_free(xd, &next);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.late), 0);
}

/* The backend keeps the page, and nobody else gets it; then the driver is gone. */
static void room_late(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	struct ring ring = room_ring(test, xd, RING_SIZE);
	struct page *page = virt_to_page(ring.memory + RING_SIZE - 1);
	char *memory = unit_pages(test, 0);
	struct unit_map map;
	dma_addr_t addr;

	addr = room_map(test, xd, memory, 16, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, unit_map(room_last(&ring), false, &map), 0);
	dma_unmap_single(xd->dev, addr, 16, DMA_TO_DEVICE);
	/* One that the driver forgets. */
	room_map(test, xd, memory, 16, DMA_TO_DEVICE);
	room_free(xd, &ring);
	xgd_revoke_all(xd);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.late), 1);
	KUNIT_EXPECT_GE(test, page_count(page), 1);
	unit_fill(&map, 0, 'l', XEN_PAGE_SIZE);
	unit_unmap(&map);
}

/* Rings come and go more often than there is room for pages of them. */
static void room_again(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	dma_addr_t *addr = kunit_kcalloc(test, 3 * XGD_ROOMS, sizeof(*addr), GFP_KERNEL);
	char *memory = unit_pages(test, 0);
	struct ring ring;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	for (i = 0; i < 3 * XGD_ROOMS; i++) {
		ring = room_ring(test, xd, RING_SIZE);
		addr[i] = room_map(test, xd, memory, 40, DMA_TO_DEVICE);
		room_free(xd, &ring);
	}
	for (i = 0; i < 3 * XGD_ROOMS; i++)
		dma_unmap_single(xd->dev, addr[i], 40, DMA_TO_DEVICE);
	room_tidy(xd);
	ring = room_ring(test, xd, RING_SIZE);
	addr[0] = room_map(test, xd, memory, 40, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(addr[0]), room_last(&ring));
	dma_unmap_single(xd->dev, addr[0], 40, DMA_TO_DEVICE);
	room_free(xd, &ring);
}

/* A ring for which there is no room is a ring all the same, and no spare page. */
static void room_too_many(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	struct ring *rings = kunit_kcalloc(test, XGD_ROOMS + 1, sizeof(*rings), GFP_KERNEL);
	unsigned int i, spares = xd->bounce.spares;

	KUNIT_ASSERT_NOT_NULL(test, rings);
	/* There are fewer than there may be. */
	KUNIT_EXPECT_LT(test, spares, xd->bounce.keep);
	for (i = 0; i <= XGD_ROOMS; i++)
		rings[i] = room_ring(test, xd, RING_SIZE);
	KUNIT_EXPECT_EQ(test, xd->bounce.spares, spares);
	for (i = 0; i <= XGD_ROOMS; i++)
		room_free(xd, &rings[i]);
}

/* Whatever request for memory fails, there is a ring, or there is none. */
static void room_less_memory(struct kunit *test)
{
	struct xgd_mode mode = { .max_private = 4096, .ring_entries = ENTRIES };
	struct xgd_device *xd = unit_device(test, &mode);
	bool failed = true;
	struct ring ring;
	unsigned int n;

	set_dma_ops(xd->dev, &xd->ops);
	for (n = 1; failed; n++) {
		unit_fail(n);
		ring.memory = xd->ops.alloc(xd->dev, RING_SIZE, &ring.addr, RING_GFP, 0);
		failed = unit_failed();
		KUNIT_EXPECT_TRUE(test, failed || ring.memory);
		if (ring.memory)
			xd->ops.free(xd->dev, RING_SIZE, ring.memory, ring.addr, 0);
		KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 0);
		KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	}
}

/* With mmio each access has a page of its own; with packed rings, too. */
static void room_other_rings(struct kunit *test)
{
	struct xgd_device *xd = room_device(test, ENTRIES);
	struct ring mmio = room_ring(test, xd, vring_size(ENTRIES, PAGE_SIZE)), words[2];
	size_t avail = ENTRIES * sizeof(struct vring_desc);
	char *memory = unit_pages(test, 0);
	dma_addr_t read, written;

	read = room_map(test, xd, memory, 16, DMA_TO_DEVICE);
	written = room_map(test, xd, memory, 16, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(read), xen_grant_dma_ref(mmio.addr + avail));
	KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(written), room_last(&mmio));
	dma_unmap_single(xd->dev, read, 16, DMA_TO_DEVICE);
	dma_unmap_single(xd->dev, written, 16, DMA_FROM_DEVICE);
	room_free(xd, &mmio);

	words[0] = room_ring(test, xd, sizeof(struct vring_packed_desc_event));
	words[1] = room_ring(test, xd, sizeof(struct vring_packed_desc_event));
	read = room_map(test, xd, memory, 16, DMA_TO_DEVICE);
	written = room_map(test, xd, memory, 16, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(read), room_last(&words[0]));
	KUNIT_EXPECT_EQ(test, xen_grant_dma_ref(written), room_last(&words[1]));
	dma_unmap_single(xd->dev, read, 16, DMA_TO_DEVICE);
	dma_unmap_single(xd->dev, written, 16, DMA_FROM_DEVICE);
	room_free(xd, &words[0]);
	room_free(xd, &words[1]);
}

static struct kunit_case room_cases[] = {
	KUNIT_CASE(room_refuses),
	KUNIT_CASE(room_off),
	KUNIT_CASE(room_pieces),
	KUNIT_CASE(room_full),
	KUNIT_CASE(room_outlives),
	KUNIT_CASE(room_late),
	KUNIT_CASE(room_again),
	KUNIT_CASE(room_too_many),
	KUNIT_CASE(room_less_memory),
	KUNIT_CASE(room_other_rings),
	{}
};

static struct kunit_suite room_suite = {
	.name = "xgd_room",
	.init = unit_init,
	.exit = unit_exit,
	.test_cases = room_cases,
};

kunit_test_suite(room_suite);
