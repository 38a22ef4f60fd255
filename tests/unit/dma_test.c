// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA API on a device that is served by grants: what its backend sees and what
 * comes back.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "data/bounce.h"
#include "data/dma.h"
#include "data/refs.h"
#include "unit.h"

#define ORDER	3
#define ROOM	(XEN_PAGE_SIZE << ORDER)

/* Where a buffer is in its room, and what is granted in place: how many pages. */
static const struct buffer {
	unsigned int	offset;
	unsigned int	size;
	unsigned int	in_place;
} buffers[] = {
	{ 0,	1,		0 },
	{ 4095,	1,		0 },
	{ 64,	64,		0 },
	{ 4090,	12,		0 },
	{ 1,	4095,		0 },
	{ 0,	4096,		1 },
	{ 512,	4096,		0 },
	{ 0,	4097,		1 },
	{ 100,	6000,		0 },
	{ 0,	8192,		2 },
	{ 4095,	4098,		1 },
	{ 4095,	8194,		2 },
	{ 40,	20000,		3 },
	{ 0,	ROOM,		8 },
};

static void buffer_name(const struct buffer *buffer, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u bytes at %u", buffer->size, buffer->offset);
}

KUNIT_ARRAY_PARAM(buffer, buffers, buffer_name);

static struct xgd_device *dma_device(struct kunit *test, enum xgd_isolation isolation)
{
	struct xgd_mode mode = { .isolation = isolation, .max_private = 4096 };
	struct xgd_device *xd = unit_device(test, &mode);

	if (isolation != XGD_ISOLATION_PAGE)
		KUNIT_ASSERT_EQ(test, xgd_bounce_reserve(xd), 0);
	unit_attach(xd);

	return xd;
}

static dma_addr_t dma_map(struct kunit *test, struct xgd_device *xd, char *memory, size_t size,
			  enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_single(xd->dev, memory, size, dir);

	KUNIT_ASSERT_FALSE(test, dma_mapping_error(xd->dev, addr));
	KUNIT_ASSERT_TRUE(test, xen_grant_dma_is_grant(addr));

	return addr;
}

/* Byte i of the backend's view of a mapping is in page i / 4096 of its references. */
static void dma_backend_fill(struct kunit *test, dma_addr_t addr, size_t size, char byte)
{
	unsigned int i, pages = xen_grant_dma_pages(addr, size);
	struct unit_map map;

	for (i = 0; i < pages; i++) {
		KUNIT_ASSERT_EQ(test, unit_map(xen_grant_dma_ref(addr) + i, false, &map), 0);
		unit_fill(&map, 0, byte, XEN_PAGE_SIZE);
		unit_unmap(&map);
	}
}

/* The backend reads all it can: the buffer, and of what is beside it nothing. */
static void dma_reads(struct kunit *test)
{
	const struct buffer *buffer = test->param_value;
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	char *room = unit_pages(test, ORDER), *memory = room + buffer->offset;
	unsigned int done, part, at, in_place = 0;
	dma_addr_t addr;

	memset(room, 's', ROOM);
	for (done = 0; done < buffer->size; done++)
		memory[done] = 1 + done % 100;
	addr = dma_map(test, xd, memory, buffer->size, DMA_TO_DEVICE);
	for (done = 0; done < buffer->size; done += part) {
		const char *seen = unit_see(test, xen_grant_dma_ref(addr + done));

		at = xen_grant_dma_offset(addr + done);
		part = min_t(unsigned int, buffer->size - done, XEN_PAGE_SIZE - at);
		KUNIT_EXPECT_MEMEQ(test, seen + at, memory + done, part);
		KUNIT_EXPECT_NULL(test, memchr(seen, 's', XEN_PAGE_SIZE));
		KUNIT_EXPECT_FALSE(test, unit_can(xen_grant_dma_ref(addr + done), false));
		in_place += !(xgd_refs_entry(xen_grant_dma_ref(addr + done))->flags &
			      XGD_REF_PRIVATE);
	}
	KUNIT_EXPECT_EQ(test, in_place, buffer->in_place);
	dma_unmap_single(xd->dev, addr, buffer->size, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 0);
}

/* It writes all it can: the buffer changes, and of what is beside it nothing. */
static void dma_writes(struct kunit *test)
{
	const struct buffer *buffer = test->param_value;
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	char *room = unit_pages(test, ORDER), *memory = room + buffer->offset;
	unsigned int end = buffer->offset + buffer->size;
	dma_addr_t addr;

	memset(room, 's', ROOM);
	addr = dma_map(test, xd, memory, buffer->size, DMA_FROM_DEVICE);
	dma_backend_fill(test, addr, buffer->size, 'w');
	dma_unmap_single(xd->dev, addr, buffer->size, DMA_FROM_DEVICE);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 's', buffer->offset));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 'w', buffer->size));
	KUNIT_EXPECT_NULL(test, memchr_inv(room + end, 's', ROOM - end));
}

/* What it does not write keeps its value, whatever the direction. */
static void dma_keeps(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL
	};
	const struct buffer *buffer = test->param_value;
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	char *room = unit_pages(test, ORDER), *memory = room + buffer->offset;
	unsigned int i;
	dma_addr_t addr;

	memset(room, 'k', ROOM);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		addr = dma_map(test, xd, memory, buffer->size, dirs[i]);
		dma_sync_single_for_cpu(xd->dev, addr, buffer->size, dirs[i]);
		dma_sync_single_for_device(xd->dev, addr, buffer->size, dirs[i]);
		dma_unmap_single(xd->dev, addr, buffer->size, dirs[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(room, 'k', ROOM));
	}
}

/* A sync is about its range and no more. */
static void dma_syncs(struct kunit *test)
{
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	char *memory = unit_pages(test, 0) + 10;
	struct unit_map map;
	dma_addr_t addr;
	unsigned int at;

	memset(memory, 'a', 1000);
	addr = dma_map(test, xd, memory, 1000, DMA_BIDIRECTIONAL);
	at = xen_grant_dma_offset(addr);
	dma_backend_fill(test, addr, 1000, 'b');
	dma_sync_single_for_cpu(xd->dev, addr + 300, 200, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 'a', 300));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 300, 'b', 200));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 500, 'a', 500));

	memset(memory, 'c', 1000);
	dma_sync_single_for_device(xd->dev, addr + 999, 1, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_EQ(test, unit_map(xen_grant_dma_ref(addr), true, &map), 0);
	KUNIT_EXPECT_EQ(test, unit_look(&map)[at + 998], 'b');
	KUNIT_EXPECT_EQ(test, unit_look(&map)[at + 999], 'c');
	unit_unmap(&map);

	/* Without a sync at the end nothing comes back. */
	dma_unmap_single_attrs(xd->dev, addr, 1000, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 'c', 1000));
}

/* Slab memory is never granted itself. */
static void dma_slab(struct kunit *test)
{
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	/* More would come from the page allocator. */
	char *memory = kunit_kzalloc(test, 2 * XEN_PAGE_SIZE, GFP_KERNEL);
	unsigned int i;
	dma_addr_t addr;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory, 'm', 2 * XEN_PAGE_SIZE);
	for (i = 1; i <= 2; i++) {
		size_t size = i * XEN_PAGE_SIZE;
		struct page *page;
		grant_ref_t ref;

		addr = dma_map(test, xd, memory, size, DMA_TO_DEVICE);
		ref = xen_grant_dma_ref(addr);
		page = virt_to_page(memory);
		KUNIT_EXPECT_TRUE(test, xgd_refs_entry(ref)->flags & XGD_REF_PRIVATE);
		KUNIT_EXPECT_PTR_NE(test, xgd_refs_entry(ref)->private->page, page);
		dma_unmap_single(xd->dev, addr, size, DMA_TO_DEVICE);
	}
}

static void dma_coherent(struct kunit *test)
{
	static const size_t sizes[] = { 1, 64, 4096, 5000, 16384 };
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	unsigned int i;
	dma_addr_t addr, last;
	char *memory;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memory = dma_alloc_coherent(xd->dev, sizes[i], &addr, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, memory);
		KUNIT_EXPECT_EQ(test, xen_grant_dma_offset(addr), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(memory, 0, ALIGN(sizes[i], XEN_PAGE_SIZE)));
		last = addr + sizes[i] - 1;
		memory[sizes[i] - 1] = 'x';
		KUNIT_EXPECT_TRUE(test, unit_sees(test, xen_grant_dma_ref(last),
						  xen_grant_dma_offset(last), "x", 1));
		dma_backend_fill(test, addr, sizes[i], 'y');
		KUNIT_EXPECT_EQ(test, memory[0], 'y');
		dma_free_coherent(xd->dev, sizes[i], memory, addr);
	}
}

static void dma_refusals(struct kunit *test)
{
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	size_t max = dma_max_mapping_size(xd->dev);
	struct page *page = virt_to_page(unit_pages(test, get_order(max + 2 * XEN_PAGE_SIZE)));
	const struct dma_map_ops *ops = xd->dev->dma_ops;
	dma_addr_t addr;

	KUNIT_EXPECT_EQ(test, ops->map_page(xd->dev, page, 0, 0, DMA_TO_DEVICE, 0),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, ops->map_page(xd->dev, page, 0, 16, DMA_NONE, 0),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, ops->map_page(xd->dev, page, 0, max + 1, DMA_TO_DEVICE, 0),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.refused), 3);

	addr = ops->map_page(xd->dev, page, XEN_PAGE_SIZE - 1, max, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_NE(test, addr, DMA_MAPPING_ERROR);

	/* What is not mapped, or not so much of it, is left alone. */
	ops->unmap_page(xd->dev, page_to_phys(page), 4096, DMA_TO_DEVICE, 0);
	ops->unmap_page(xd->dev, xen_grant_dma_addr(1, 0), 4096, DMA_TO_DEVICE, 0);
	ops->unmap_page(xd->dev, xen_grant_dma_addr(U32_MAX, 0), 65536, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.refused), 6);
	KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 1);
	ops->unmap_page(xd->dev, addr, max, DMA_TO_DEVICE, 0);
	ops->unmap_page(xd->dev, addr, max, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.refused), 7);
	KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 0);
}

static struct address_space dma_owner;

static bool dma_is_in_place(struct kunit *test, struct xgd_device *xd, struct page *page,
			    size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t addr = dma_map_page_attrs(xd->dev, page, 0, size, dir, attrs);
	bool in_place;

	KUNIT_ASSERT_FALSE(test, dma_mapping_error(xd->dev, addr));
	in_place = !(xgd_refs_entry(xen_grant_dma_ref(addr))->flags & XGD_REF_PRIVATE);
	dma_unmap_page_attrs(xd->dev, addr, size, dir, attrs);

	return in_place;
}

/* Whose memory it is decides whether it is granted in place. */
static void dma_owners(struct kunit *test)
{
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	struct page *page = virt_to_page(unit_pages(test, 1));
	size_t size;

	for (size = XEN_PAGE_SIZE; size <= 2 * XEN_PAGE_SIZE; size *= 2) {
		KUNIT_EXPECT_TRUE(test, dma_is_in_place(test, xd, page, size, DMA_TO_DEVICE, 0));
		KUNIT_EXPECT_FALSE(test, dma_is_in_place(test, xd, page, size, DMA_FROM_DEVICE, 0));
		KUNIT_EXPECT_FALSE(test, dma_is_in_place(test, xd, page, size, DMA_BIDIRECTIONAL,
							 0));
		page->mapping = &dma_owner;
		KUNIT_EXPECT_TRUE(test, dma_is_in_place(test, xd, page, size, DMA_FROM_DEVICE, 0));
		KUNIT_EXPECT_FALSE(test, dma_is_in_place(test, xd, page, size, DMA_FROM_DEVICE,
							 DMA_ATTR_SKIP_CPU_SYNC));
		KUNIT_EXPECT_TRUE(test, dma_is_in_place(test, xd, page, size, DMA_TO_DEVICE,
							DMA_ATTR_SKIP_CPU_SYNC));
		page->mapping = NULL;
	}
}

/* A backend that keeps a buffer gets no more of the guest's own pages. */
static void dma_distrust(struct kunit *test)
{
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_BYTE);
	char *page = unit_pages(test, 0);
	struct unit_map map;
	dma_addr_t addr;

	virt_to_page(page)->mapping = &dma_owner;
	addr = dma_map(test, xd, page, XEN_PAGE_SIZE, DMA_FROM_DEVICE);
	virt_to_page(page)->mapping = NULL;
	KUNIT_ASSERT_EQ(test, unit_map(xen_grant_dma_ref(addr), false, &map), 0);
	dma_unmap_single(xd->dev, addr, XEN_PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, xd->mode.copy);

	addr = dma_map(test, xd, page, XEN_PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, xgd_refs_entry(xen_grant_dma_ref(addr))->flags &
				XGD_REF_PRIVATE);
	dma_unmap_single(xd->dev, addr, XEN_PAGE_SIZE, DMA_FROM_DEVICE);
	unit_fill(&map, 0, 'l', XEN_PAGE_SIZE);
	unit_unmap(&map);
}

/* The control: with isolation=page the neighbours are there to be read. */
static void dma_isolation_page(struct kunit *test)
{
	struct xgd_device *xd = dma_device(test, XGD_ISOLATION_PAGE);
	char *page = unit_pages(test, 0);
	dma_addr_t addr;

	strscpy(page, "a secret", 16);
	addr = dma_map(test, xd, page + 100, 16, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, xen_grant_dma_offset(addr), 100);
	KUNIT_EXPECT_TRUE(test, unit_sees(test, xen_grant_dma_ref(addr), 0, "a secret", 8));
	dma_unmap_single(xd->dev, addr, 16, DMA_TO_DEVICE);
}

/* With copy_max=8192 that much is copied, and what is longer is granted in place. */
static void dma_copy_max(struct kunit *test)
{
	static const struct xgd_mode mode = { .max_private = 4096, .copy_max = 2 * XEN_PAGE_SIZE };
	struct xgd_device *xd = unit_device(test, &mode);
	char *pages = unit_pages(test, ORDER);
	unsigned int count;
	dma_addr_t addr;

	unit_attach(xd);
	for (count = 1; count <= 3; count++) {
		addr = dma_map(test, xd, pages, count * XEN_PAGE_SIZE, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, !!(xgd_refs_entry(xen_grant_dma_ref(addr))->flags &
					 XGD_REF_PRIVATE), count <= 2);
		dma_unmap_single(xd->dev, addr, count * XEN_PAGE_SIZE, DMA_TO_DEVICE);
	}
}

static void dma_copy_always(struct kunit *test)
{
	static const struct xgd_mode mode = { .max_private = 4096, .copy = true };
	struct xgd_device *xd = unit_device(test, &mode);
	char *pages = unit_pages(test, ORDER);
	unsigned int i;
	dma_addr_t addr;

	unit_attach(xd);
	memset(pages, 'c', ROOM);
	addr = dma_map(test, xd, pages, ROOM, DMA_BIDIRECTIONAL);
	for (i = 0; i < ROOM / XEN_PAGE_SIZE; i++)
		KUNIT_EXPECT_TRUE(test, xgd_refs_entry(xen_grant_dma_ref(addr) + i)->flags &
					XGD_REF_PRIVATE);
	dma_backend_fill(test, addr, ROOM, 'd');
	KUNIT_EXPECT_NULL(test, memchr_inv(pages, 'c', ROOM));
	dma_unmap_single(xd->dev, addr, ROOM, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_NULL(test, memchr_inv(pages, 'd', ROOM));
}

/* Whichever request for memory fails: a mapping is made, or is not and leaves nothing. */
static void dma_less_memory(struct kunit *test)
{
	const struct buffer *buffer = test->param_value;
	static const struct xgd_mode mode = { .max_private = 4096 };
	struct xgd_device *xd = unit_device(test, &mode);
	char *memory = unit_pages(test, ORDER) + buffer->offset;
	bool failed = true;
	dma_addr_t addr;
	unsigned int n;
	s64 refs;

	/* Nothing is reserved, and DMA debugging, which wants memory too, not asked. */
	for (n = 1; failed; n++) {
		refs = unit_refs(xd);
		set_dma_ops(xd->dev, &xd->ops);
		unit_fail(n);
		addr = xd->ops.map_page(xd->dev, virt_to_page(memory), offset_in_page(memory),
					buffer->size, DMA_BIDIRECTIONAL, 0);
		failed = unit_failed();
		KUNIT_EXPECT_TRUE(test, failed || addr != DMA_MAPPING_ERROR);
		if (addr != DMA_MAPPING_ERROR)
			xd->ops.unmap_page(xd->dev, addr, buffer->size, DMA_BIDIRECTIONAL, 0);
		else
			KUNIT_EXPECT_LE(test, unit_refs(xd), refs);
		KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 0);
	}
}

#define MANY	64
#define TURNS	4000

/* Random buffers, many at a time; one request for memory in some fails. */
static void dma_random(struct kunit *test)
{
	struct {
		dma_addr_t		addr;
		unsigned int		offset;
		unsigned int		size;
		enum dma_data_direction	dir;
	} *all = kunit_kcalloc(test, MANY, sizeof(*all), GFP_KERNEL), *at;
	static const struct xgd_mode mode = { .max_private = 512, .max_refs = 4096 };
	struct xgd_device *xd = unit_device(test, &mode);
	char *room = unit_pages(test, 5);
	unsigned int i, failed = 0, wrong = 0;
	struct rnd_state random;

	KUNIT_ASSERT_NOT_NULL(test, all);
	memset(room, 'r', 32 * PAGE_SIZE);
	set_dma_ops(xd->dev, &xd->ops);
	prandom_seed_state(&random, 4);
	for (i = 0; i < TURNS; i++) {
		at = &all[prandom_u32_state(&random) % MANY];
		if (at->size) {
			xd->ops.unmap_page(xd->dev, at->addr, at->size, at->dir, 0);
			at->size = 0;
			wrong += !!memchr_inv(room + at->offset, 'r', 16);
			continue;
		}
		at->size = 1 + prandom_u32_state(&random) % (BIT(prandom_u32_state(&random) % 17));
		at->offset = prandom_u32_state(&random) % (16 * PAGE_SIZE);
		at->dir = prandom_u32_state(&random) % 3;
		if (i % 5 == 0)
			unit_fail(1 + prandom_u32_state(&random) % 4);
		at->addr = xd->ops.map_page(xd->dev, virt_to_page(room + at->offset),
					    offset_in_page(at->offset), at->size, at->dir, 0);
		unit_failed();
		if (at->addr == DMA_MAPPING_ERROR) {
			at->size = 0;
			failed++;
		}
	}
	for (at = all; at < all + MANY; at++)
		if (at->size)
			xd->ops.unmap_page(xd->dev, at->addr, at->size, at->dir, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 'r', 32 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, xgd_mappings(xd), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.failed), failed);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.late), 0);
}

static struct kunit_case dma_cases[] = {
	KUNIT_CASE_PARAM(dma_reads, buffer_gen_params),
	KUNIT_CASE_PARAM(dma_writes, buffer_gen_params),
	KUNIT_CASE_PARAM(dma_keeps, buffer_gen_params),
	KUNIT_CASE_PARAM(dma_less_memory, buffer_gen_params),
	KUNIT_CASE(dma_syncs),
	KUNIT_CASE(dma_slab),
	KUNIT_CASE(dma_coherent),
	KUNIT_CASE(dma_refusals),
	KUNIT_CASE(dma_owners),
	KUNIT_CASE(dma_distrust),
	KUNIT_CASE(dma_isolation_page),
	KUNIT_CASE(dma_copy_max),
	KUNIT_CASE(dma_copy_always),
	KUNIT_CASE(dma_random),
	{}
};

static struct kunit_suite dma_suite = {
	.name = "xgd_dma",
	.init = unit_init,
	.exit = unit_exit,
	.test_cases = dma_cases,
};

kunit_test_suite(dma_suite);
