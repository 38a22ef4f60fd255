// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages: what the backend sees of a piece, and how slots are shared out.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "data/bounce.h"
#include "data/refs.h"
#include "data/revoke.h"
#include "unit.h"

/* So many pieces of 64 bytes have room in a Xen page. */
#define SLOTS	64

static struct xgd_private *private_of(dma_addr_t addr)
{
	return xgd_refs_entry(xen_grant_dma_ref(addr))->private;
}

static void unmap(dma_addr_t addr)
{
	const struct xgd_private *private = private_of(addr);
	const struct xgd_block *block = private->block;

	xgd_bounce_unmap(private, addr, block->unit[xgd_unit_of(block, addr)].len, false);
}

static bool holds(const struct xgd_private *private, dma_addr_t addr, size_t size)
{
	const struct xgd_block *block = private->block;

	return xgd_unit_holds(block, xgd_unit_of(block, addr),
			      xgd_unit_offset(block, addr) + size);
}

static dma_addr_t map(struct kunit *test, void *memory, size_t size, bool readonly)
{
	dma_addr_t addr = xgd_bounce_map(test->priv, virt_to_phys(memory), size, readonly);

	KUNIT_ASSERT_NE(test, addr, DMA_MAPPING_ERROR);

	return addr;
}

/* Each size, from the middle of other data. */
static void bounce_sizes(struct kunit *test)
{
	static const unsigned int sizes[] = {
		1, 2, 16, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023,
		1024, 1025, 1526, 2047, 2048, 2049, 4095, 4096
	};
	char *memory = unit_pages(test, 2);
	unsigned int i, readonly;

	unit_device(test, NULL);
	for (i = 0; i < 4 * PAGE_SIZE; i++)
		memory[i] = i % 251 + 1;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (readonly = 0; readonly < 2; readonly++) {
			char *piece = memory + 100 + i;
			dma_addr_t addr = map(test, piece, sizes[i], readonly);
			unsigned int offset = xen_grant_dma_offset(addr);
			grant_ref_t ref = xen_grant_dma_ref(addr);
			unsigned int slot = max(64, roundup_pow_of_two(sizes[i]));

			KUNIT_EXPECT_LE(test, offset + sizes[i], XEN_PAGE_SIZE);
			KUNIT_EXPECT_EQ(test, offset % slot, 0);
			KUNIT_EXPECT_TRUE(test, unit_sees(test, ref, offset, piece, sizes[i]));
			KUNIT_EXPECT_EQ(test, unit_can(ref, false), !readonly);
			KUNIT_EXPECT_EQ(test, xgd_refs_entry(ref)->flags,
					XGD_REF_PRIVATE | (readonly ? XGD_REF_READONLY : 0));
			unmap(addr);
		}
	}
}

/* A page that the backend has not seen has nothing in it but the piece. */
static void bounce_zeroed(struct kunit *test)
{
	char *memory = unit_pages(test, 0);
	dma_addr_t addr;

	unit_device(test, NULL);
	memset(memory, 0x55, PAGE_SIZE);
	addr = map(test, memory + 1000, 40, false);
	KUNIT_EXPECT_TRUE(test, unit_sees_only(test, xen_grant_dma_ref(addr),
					       xen_grant_dma_offset(addr), memory, 40));
	unmap(addr);
}

/* All slots of a page, then another page; a slot that is free is the next to go. */
static void bounce_slots(struct kunit *test)
{
	dma_addr_t *addr = kunit_kcalloc(test, SLOTS + 1, sizeof(*addr), GFP_KERNEL);
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 0), *text;
	u64 slots = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	/* Each CPU has a page of its own. */
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	for (i = 0; i <= SLOTS; i++) {
		text = memory + i * 32;
		snprintf(text, 32, "piece %u", i);
		addr[i] = map(test, text, 32, false);
	}
	for (i = 0; i < SLOTS; i++) {
		unsigned int at = xen_grant_dma_offset(addr[i]);
		grant_ref_t ref = xen_grant_dma_ref(addr[i]);

		KUNIT_EXPECT_EQ(test, ref, xen_grant_dma_ref(addr[0]));
		slots |= BIT_ULL(at / 64);
		KUNIT_EXPECT_TRUE(test, unit_sees(test, ref, at, memory + i * 32, 32));
	}
	KUNIT_EXPECT_EQ(test, slots, U64_MAX);
	KUNIT_EXPECT_NE(test, xen_grant_dma_ref(addr[SLOTS]), xen_grant_dma_ref(addr[0]));

	unmap(addr[33]);
	KUNIT_EXPECT_FALSE(test, holds(private_of(addr[0]), addr[33], 1));
	KUNIT_EXPECT_EQ(test, map(test, memory, 64, false), addr[33]);
	for (i = 0; i <= SLOTS; i++)
		unmap(addr[i]);
	KUNIT_EXPECT_LE(test, unit_refs(xd), 2);
}

/* Pieces for reading and for writing, and of different sizes, share no page. */
static void bounce_apart(struct kunit *test)
{
	static const unsigned int sizes[] = { 64, 128, 256, 512, 1024, 2048, 4096 };
	dma_addr_t addr[2 * ARRAY_SIZE(sizes)];
	char *memory = unit_pages(test, 0);
	unsigned int i, j;

	unit_device(test, NULL);
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		addr[i] = map(test, memory, sizes[i / 2], i % 2);
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, xen_grant_dma_ref(addr[i]),
					xen_grant_dma_ref(addr[j]));
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		unmap(addr[i]);
}

static void bounce_holds(struct kunit *test)
{
	char *memory = unit_pages(test, 2);
	struct xgd_private *private;
	dma_addr_t piece, pages;

	unit_device(test, NULL);
	piece = map(test, memory, 100, false);
	pages = map(test, memory, 2 * XEN_PAGE_SIZE + 10, false);
	private = private_of(piece);
	KUNIT_EXPECT_TRUE(test, holds(private, piece, 100));
	KUNIT_EXPECT_TRUE(test, holds(private, piece, 1));
	KUNIT_EXPECT_TRUE(test, holds(private, piece + 99, 1));
	KUNIT_EXPECT_TRUE(test, holds(private, piece + 50, 50));
	KUNIT_EXPECT_FALSE(test, holds(private, piece, 101));
	KUNIT_EXPECT_FALSE(test, holds(private, piece + 100, 1));
	KUNIT_EXPECT_FALSE(test, holds(private, piece + 50, 51));
	KUNIT_EXPECT_FALSE(test, holds(private, piece, XEN_PAGE_SIZE));
	unmap(piece);
	KUNIT_EXPECT_FALSE(test, holds(private, piece, 1));

	private = private_of(pages);
	KUNIT_EXPECT_TRUE(test, holds(private, pages, 2 * XEN_PAGE_SIZE + 10));
	KUNIT_EXPECT_FALSE(test, holds(private, pages, 2 * XEN_PAGE_SIZE + 11));
	pages += XEN_PAGE_SIZE + 1;
	private = private_of(pages);
	KUNIT_EXPECT_TRUE(test, holds(private, pages, XEN_PAGE_SIZE + 9));
	KUNIT_EXPECT_FALSE(test, holds(private, pages, XEN_PAGE_SIZE + 10));
	unmap(pages - XEN_PAGE_SIZE - 1);
	KUNIT_EXPECT_FALSE(test, holds(private, pages, 1));
}

/* Both ways, whole and in part. */
static void bounce_copy(struct kunit *test)
{
	char *memory = unit_pages(test, 0);
	struct xgd_private *private;
	struct unit_map backend;
	const char *seen;
	dma_addr_t addr;
	unsigned int at;

	unit_device(test, NULL);
	memset(memory, 'a', PAGE_SIZE);
	addr = map(test, memory + 1000, 300, false);
	private = private_of(addr);
	at = xen_grant_dma_offset(addr);
	KUNIT_ASSERT_EQ(test, unit_map(xen_grant_dma_ref(addr), false, &backend), 0);
	unit_fill(&backend, 0, 'b', XEN_PAGE_SIZE);

	KUNIT_EXPECT_TRUE(test, xgd_bounce_sync(private, addr + 100, 50, false));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 'a', 1100));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 1100, 'b', 50));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 1150, 'a', PAGE_SIZE - 1150));

	KUNIT_EXPECT_TRUE(test, xgd_bounce_sync(private, addr, 300, false));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 'a', 1000));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 1000, 'b', 300));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 1300, 'a', PAGE_SIZE - 1300));

	memset(memory, 'c', PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, xgd_bounce_sync(private, addr + 299, 1, true));
	seen = unit_look(&backend);
	KUNIT_EXPECT_EQ(test, seen[at + 298], 'b');
	KUNIT_EXPECT_EQ(test, seen[at + 299], 'c');
	KUNIT_EXPECT_EQ(test, seen[at + 300], 'b');

	unit_unmap(&backend);
	unmap(addr);
}

/* Several pages: consecutive references, whatever the pages. */
static void bounce_pages(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 4);
	unsigned int i, pages;
	dma_addr_t addr;

	for (i = 0; i < 16 * XEN_PAGE_SIZE; i++)
		memory[i] = i % 253 + 1;
	for (pages = 1; pages <= 15; pages += 2) {
		addr = map(test, memory + 77, pages * XEN_PAGE_SIZE - 7, false);
		KUNIT_EXPECT_EQ(test, xen_grant_dma_offset(addr), 0);
		for (i = 0; i < pages; i++)
			KUNIT_EXPECT_TRUE(test, unit_sees(test, xen_grant_dma_ref(addr) + i, 0,
							  memory + 77 + i * XEN_PAGE_SIZE,
							  XEN_PAGE_SIZE - 7));
		unmap(addr);
	}
	KUNIT_EXPECT_GE(test, unit_refs(xd), 15);
}

static void bounce_limit(struct kunit *test)
{
	static const struct xgd_mode mode = { .max_private = 8 };
	struct xgd_device *xd = unit_device(test, &mode);
	char *memory = unit_pages(test, 0);
	dma_addr_t addr[9];
	unsigned int i;

	for (i = 0; i < 8; i++)
		addr[i] = map(test, memory, 4096, false);
	addr[8] = xgd_bounce_map(xd, virt_to_phys(memory), 1, false);
	KUNIT_EXPECT_EQ(test, addr[8], DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, xd->bounce.count, 8);
	KUNIT_EXPECT_NULL(test, xgd_bounce_get(xd, virt_to_phys(memory), 1));
	/* A small piece makes do with a large place. */
	unmap(addr[3]);
	addr[3] = map(test, memory, 1, false);
	for (i = 0; i < 8; i++)
		unmap(addr[i]);
	KUNIT_EXPECT_EQ(test, xd->bounce.count_max, 8);
}

/* One request for memory that fails may be made up for; nothing is lost by it. */
static void bounce_less_memory(struct kunit *test)
{
	static const unsigned int sizes[] = { 64, 500, 4096, 2 * 4096 };
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 1);
	bool failed, any = false;
	unsigned int n, i;
	dma_addr_t addr;
	s64 refs;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (n = 1, failed = true; failed; n++) {
			refs = unit_refs(xd);
			unit_fail(n);
			addr = xgd_bounce_map(xd, virt_to_phys(memory), sizes[i], false);
			failed = unit_failed();
			any |= failed;
			if (addr != DMA_MAPPING_ERROR)
				unmap(addr);
			else
				KUNIT_EXPECT_EQ(test, unit_refs(xd), refs);
			KUNIT_EXPECT_TRUE(test, failed || addr != DMA_MAPPING_ERROR);
		}
	}
	KUNIT_EXPECT_TRUE(test, any);
}

static void bounce_no_memory(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 1);
	unsigned int size;
	dma_addr_t addr;

	unit_no_memory(true);
	for (size = 1; size <= 2 * 4096; size = 2 * size + 1)
		KUNIT_EXPECT_EQ(test, xgd_bounce_map(xd, virt_to_phys(memory), size, false),
				DMA_MAPPING_ERROR);
	KUNIT_EXPECT_NULL(test, xgd_bounce_get(xd, virt_to_phys(memory), 1));
	unit_no_memory(false);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, xd->bounce.count, 0);

	addr = map(test, memory, 64, false);
	unmap(addr);
}

static void bounce_no_references(struct kunit *test)
{
	static const struct xgd_mode mode = { .max_refs = 2, .max_private = 64 };
	struct xgd_device *xd = unit_device(test, &mode);
	char *memory = unit_pages(test, 0);
	dma_addr_t first, second;

	first = map(test, memory, 4096, false);
	second = map(test, memory, 4096, true);
	KUNIT_EXPECT_EQ(test, xgd_bounce_map(xd, virt_to_phys(memory), 64, false),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 2);
	unmap(first);
	first = map(test, memory, 64, false);
	unmap(first);
	unmap(second);
}

/* What is reserved is enough when there is no memory: three pieces each way. */
static void bounce_reserve(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 0);
	dma_addr_t addr[6];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, xgd_bounce_reserve(xd), 0);
	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		unit_no_memory(true);
		addr[i] = xgd_bounce_map(xd, virt_to_phys(memory), 4096, i % 2);
		unit_no_memory(false);
		KUNIT_ASSERT_NE(test, addr[i], DMA_MAPPING_ERROR);
	}
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		unmap(addr[i]);
}

static void bounce_reserve_fails(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL), *again;
	unsigned int n, errors = 0;
	bool failed;
	int ret;

	for (n = 1, failed = true; failed; n++) {
		again = xgd_device_create(xd->dev, 0, "unit test", &xd->mode);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, again);
		unit_fail(n);
		ret = xgd_bounce_reserve(again);
		failed = unit_failed();
		KUNIT_EXPECT_TRUE(test, !ret || (failed && ret == -ENOMEM));
		errors += !!ret;
		xgd_revoke_all(again);
		KUNIT_EXPECT_EQ(test, unit_refs(again), 0);
		KUNIT_EXPECT_EQ(test, again->bounce.count, 0);
		xgd_device_put(again);
	}
	KUNIT_EXPECT_GT(test, errors, 2);
}

/* A page that is part of a run has its bytes where they are in memory. */
static void bounce_run(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 0);
	struct xgd_private *private;
	grant_ref_t ref;

	memset(memory, 0x33, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, 1, true, &ref), 0);
	private = xgd_bounce_get(xd, virt_to_phys(memory) + 700, 500);
	KUNIT_ASSERT_NOT_NULL(test, private);
	xgd_refs_grant_private(xd, ref, private, virt_to_phys(private->vaddr), false);
	KUNIT_EXPECT_TRUE(test, unit_sees_only(test, ref, 700, memory, 500));
	KUNIT_EXPECT_EQ(test, xgd_refs_entry(ref)->flags, XGD_REF_PRIVATE);

	/* More than it has is cut to that. */
	memset(memory, 0x44, PAGE_SIZE);
	xgd_bounce_sync_part(private, 0, XEN_PAGE_SIZE, false);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, 0x44, 700));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 700, 0x33, 500));
	KUNIT_EXPECT_NULL(test, memchr_inv(memory + 1200, 0x44, PAGE_SIZE - 1200));

	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, ref, 1, false), 0);
	KUNIT_EXPECT_EQ(test, xd->bounce.spares, 1);
}

/* What nobody uses any more is given back, the rest is not. */
static void bounce_idle(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *memory = unit_pages(test, 0);
	unsigned int i, count = 40, revoked = 0;
	dma_addr_t *addr = kunit_kcalloc(test, count, sizeof(*addr), GFP_KERNEL);
	grant_ref_t first;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	for (i = 0; i < count; i++)
		addr[i] = map(test, memory, 4096, false);
	KUNIT_EXPECT_TRUE(test, xgd_bounce_find_idle(xd));
	KUNIT_EXPECT_EQ(test, xgd_bounce_take_idle(xd, &first), 0);

	for (i = 0; i < count - 1; i++)
		unmap(addr[i]);
	KUNIT_EXPECT_TRUE(test, xgd_bounce_find_idle(xd));
	while ((i = xgd_bounce_take_idle(xd, &first))) {
		KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first, i, false), 0);
		revoked += i;
	}
	KUNIT_EXPECT_GT(test, revoked, count / 2);
	KUNIT_EXPECT_TRUE(test, unit_sees(test, xen_grant_dma_ref(addr[count - 1]), 0, memory,
					  XEN_PAGE_SIZE));
	for (i = 0; i < count - 1; i++)
		addr[i] = map(test, memory, 4096, false);
	for (i = 0; i < count; i++)
		unmap(addr[i]);
}

static struct kunit_case bounce_cases[] = {
	KUNIT_CASE(bounce_sizes),
	KUNIT_CASE(bounce_zeroed),
	KUNIT_CASE(bounce_slots),
	KUNIT_CASE(bounce_apart),
	KUNIT_CASE(bounce_holds),
	KUNIT_CASE(bounce_copy),
	KUNIT_CASE(bounce_pages),
	KUNIT_CASE(bounce_limit),
	KUNIT_CASE(bounce_less_memory),
	KUNIT_CASE(bounce_no_memory),
	KUNIT_CASE(bounce_no_references),
	KUNIT_CASE(bounce_reserve),
	KUNIT_CASE(bounce_reserve_fails),
	KUNIT_CASE(bounce_run),
	KUNIT_CASE(bounce_idle),
	{}
};

static struct kunit_suite bounce_suite = {
	.name = "xgd_bounce",
	.init = unit_init,
	.exit = unit_exit,
	.test_cases = bounce_cases,
};

kunit_test_suite(bounce_suite);
