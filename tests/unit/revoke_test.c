// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of access, with a backend that lets go in time, late, or not at all.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "data/bounce.h"
#include "data/refs.h"
#include "data/revoke.h"
#include "unit.h"

#define MANY		24
#define WAIT_MS		20000

/* Which references: those that a streaming mapping has, or others. */
static const struct kind {
	const char	*name;
	bool		brief;
} kinds[] = { { "lasting", false }, { "brief", true } };

static void kind_name(const struct kind *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_name);

/* Grant the pages of some memory in one run. */
static grant_ref_t grant_run(struct kunit *test, struct xgd_device *xd, char *memory,
			     unsigned int count)
{
	const struct kind *kind = test->param_value;
	grant_ref_t first;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, count, kind->brief, &first), 0);
	for (i = 0; i < count; i++)
		xgd_refs_grant(xd, first + i, 1, virt_to_phys(memory + i * XEN_PAGE_SIZE), false);

	return first;
}

static void revoke_in_time(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *pages = unit_pages(test, 2);
	grant_ref_t first = grant_run(test, xd, pages, 4);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, unit_refs(xd), 4);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first, 4, false), 0);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.late), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_FALSE(test, unit_can(first + i, true));
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages)), 1);
}

/* One of four pages is kept: its owner frees it, and nobody gets it. */
static void revoke_late(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *pages = unit_pages(test, 2);
	grant_ref_t first = grant_run(test, xd, pages, 4);
	struct unit_map map;

	strscpy(pages + 2 * XEN_PAGE_SIZE, "kept", 16);
	KUNIT_ASSERT_EQ(test, unit_map(first + 2, false, &map), 0);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first, 4, false), 1);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.late), 1);
	KUNIT_EXPECT_EQ(test, xd->late.count, 1);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages)), 2);
	KUNIT_EXPECT_FALSE(test, xgd_revoke_wait(xd, 300));
	KUNIT_EXPECT_STREQ(test, unit_look(&map), "kept");
	KUNIT_EXPECT_FALSE(test, unit_can(first, true));
	KUNIT_EXPECT_EQ(test, xgd_refs_next_of(xd->id, 0), XGD_REF_NONE);

	unit_unmap(&map);
	KUNIT_EXPECT_TRUE(test, xgd_revoke_wait(xd, WAIT_MS));
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages)), 1);
	KUNIT_EXPECT_FALSE(test, unit_can(first + 2, true));
}

/* Many are late, and come back in two parts, in another order. */
static void revoke_many_late(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	struct unit_map *map = kunit_kcalloc(test, MANY, sizeof(*map), GFP_KERNEL);
	char *pages = unit_pages(test, 5);
	grant_ref_t first = grant_run(test, xd, pages, MANY);
	unsigned int i, tries;

	KUNIT_ASSERT_NOT_NULL(test, map);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_EQ(test, unit_map(first + i, false, &map[i]), 0);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first, MANY / 2, false), MANY / 2);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first + MANY / 2, MANY / 2, false), MANY / 2);
	KUNIT_EXPECT_EQ(test, xd->late.count, MANY);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages)), 1 + MANY);

	for (i = 0; i < MANY; i += 2)
		unit_unmap(&map[i]);
	for (tries = 0; tries < WAIT_MS / 100 && unit_refs(xd) > MANY / 2; tries++)
		xgd_revoke_wait(xd, 100);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), MANY / 2);
	KUNIT_EXPECT_EQ(test, xd->late.count, MANY / 2);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages)), 1 + MANY / 2);

	for (i = MANY; i--; )
		if (i % 2)
			unit_unmap(&map[i]);
	KUNIT_EXPECT_TRUE(test, xgd_revoke_wait(xd, WAIT_MS));
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages)), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.late), MANY);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.unpinned), 0);
}

/* A private page belongs to nobody once it is late. */
static void revoke_private(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *page = unit_pages(test, 0);
	struct unit_map map;
	dma_addr_t addr;
	grant_ref_t ref;

	strscpy(page, "piece", 16);
	addr = xgd_bounce_map(xd, virt_to_phys(page), 16, false);
	KUNIT_ASSERT_NE(test, addr, DMA_MAPPING_ERROR);
	ref = xen_grant_dma_ref(addr);
	KUNIT_ASSERT_EQ(test, unit_map(ref, false, &map), 0);

	KUNIT_EXPECT_EQ(test, xgd_revoke_all(xd), 0);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 1);
	KUNIT_EXPECT_EQ(test, xd->bounce.count, 0);
	KUNIT_EXPECT_STREQ(test, unit_look(&map) + xen_grant_dma_offset(addr), "piece");

	unit_unmap(&map);
	KUNIT_EXPECT_TRUE(test, xgd_revoke_wait(xd, WAIT_MS));
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
}

/* Slab memory cannot be kept: it is told, and the reference stays late all the same. */
static void revoke_unpinned(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	void *memory = kunit_kzalloc(test, XEN_PAGE_SIZE, GFP_KERNEL);
	struct unit_map map;
	grant_ref_t ref;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	ref = grant_run(test, xd, memory, 1);
	KUNIT_ASSERT_EQ(test, unit_map(ref, false, &map), 0);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, ref, 1, false), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&xd->stats.unpinned), 1);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 1);
	unit_unmap(&map);
	KUNIT_EXPECT_TRUE(test, xgd_revoke_wait(xd, WAIT_MS));
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
}

/* What a driver left behind, of all sorts. */
static void revoke_all(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *pages = unit_pages(test, 2);
	unsigned int i;
	grant_ref_t first;

	first = grant_run(test, xd, pages, 4);
	for (i = 0; i < 70; i++)
		KUNIT_ASSERT_NE(test, xgd_bounce_map(xd, virt_to_phys(pages), 64, i % 2),
				DMA_MAPPING_ERROR);
	this_cpu_add(xd->cpu->mapped, 71);
	KUNIT_EXPECT_GE(test, unit_refs(xd), 6);
	KUNIT_EXPECT_EQ(test, xgd_revoke_all(xd), 71);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, xd->bounce.count, 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_FALSE(test, unit_can(first + i, true));
}

/* A device that is given up lives until its backend has let go. */
static void revoke_outlives(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *page = unit_pages(test, 0);
	struct unit_map map;
	grant_ref_t ref;

	ref = grant_run(test, xd, page, 1);
	KUNIT_ASSERT_EQ(test, unit_map(ref, false, &map), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&xd->kref), 1);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, ref, 1, false), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&xd->kref), 2);
	KUNIT_EXPECT_FALSE(test, xgd_revoke_wait(xd, 100));
	unit_unmap(&map);
	KUNIT_EXPECT_TRUE(test, xgd_revoke_wait(xd, WAIT_MS));
}

static struct kunit_case revoke_cases[] = {
	KUNIT_CASE_PARAM(revoke_in_time, kind_gen_params),
	KUNIT_CASE_PARAM(revoke_late, kind_gen_params),
	KUNIT_CASE_PARAM(revoke_many_late, kind_gen_params),
	KUNIT_CASE(revoke_private),
	KUNIT_CASE_PARAM(revoke_unpinned, kind_gen_params),
	KUNIT_CASE_PARAM(revoke_all, kind_gen_params),
	KUNIT_CASE_PARAM(revoke_outlives, kind_gen_params),
	{}
};

static struct kunit_suite revoke_suite = {
	.name = "xgd_revoke",
	.init = unit_init,
	.exit = unit_exit,
	.test_cases = revoke_cases,
};

kunit_test_suite(revoke_suite);
