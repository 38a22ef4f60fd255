// SPDX-License-Identifier: GPL-2.0-only
/*
 * References: runs of them, their limits, and what the backend reaches by them.
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <xen/page.h>

#include "data/refs.h"
#include "data/revoke.h"
#include "unit.h"

#define RUN	16

/* Runs of references that a test has. */
struct runs {
	unsigned int	count;
	struct {
		grant_ref_t	first;
		unsigned int	count;
	} run[512];
};

static bool runs_have(const struct runs *runs, grant_ref_t first, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < runs->count; i++)
		if (first < runs->run[i].first + runs->run[i].count &&
		    runs->run[i].first < first + count)
			return true;

	return false;
}

static void runs_add(struct runs *runs, grant_ref_t first, unsigned int count)
{
	runs->run[runs->count].first = first;
	runs->run[runs->count++].count = count;
}

static void runs_free(struct xgd_device *xd, struct runs *runs)
{
	while (runs->count) {
		runs->count--;
		xgd_refs_free(xd, runs->run[runs->count].first, runs->run[runs->count].count);
	}
}

/* Which references: those that a streaming mapping has, or others. */
static const struct kind {
	const char	*name;
	bool		brief;
} kinds[] = { { "brief", true }, { "lasting", false } };

static void kind_name(const struct kind *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_name);

static bool is_brief(struct kunit *test)
{
	return ((const struct kind *)test->param_value)->brief;
}

/* The first, as the table is empty only once. */
static void refs_no_memory(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	/* The second time more, for which there are no entries yet, either. */
	unsigned int n, count = is_brief(test) ? 512 : 4096;
	grant_ref_t first;
	int ret;

	for (n = 1; ; n++) {
		unit_fail(n);
		ret = xgd_refs_alloc(xd, count, is_brief(test), &first);
		if (!unit_failed())
			break;
		if (ret) {
			KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
		} else {
			KUNIT_EXPECT_NOT_NULL(test, xgd_refs_entry(first + count - 1));
			xgd_refs_free(xd, first, count);
		}
	}
	KUNIT_ASSERT_EQ(test, ret, 0);
	/* Or this test is about nothing. */
	KUNIT_EXPECT_GT(test, n, 1);
	xgd_refs_free(xd, first, count);
}

static void refs_runs(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 3, 5, 8, 31, 64, 65, 127, 128, 255, 512 };
	struct runs *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	struct xgd_device *xd = unit_device(test, NULL);
	unsigned int i, j, round, count, total = 0;
	grant_ref_t first;

	KUNIT_ASSERT_NOT_NULL(test, runs);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			count = sizes[i];
			KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, count, is_brief(test), &first),
					0);
			KUNIT_EXPECT_FALSE_MSG(test, runs_have(runs, first, count),
					       "%u from %u are in use", count, first);
			for (j = 0; j < count; j++)
				KUNIT_ASSERT_NOT_NULL(test, xgd_refs_entry(first + j));
			runs_add(runs, first, count);
			total += count;
			KUNIT_EXPECT_EQ(test, unit_refs(xd), total);
		}
	}
	runs_free(xd, runs);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
}

/* Never more than the limit; nor much less, though CPUs count ahead. */
static void refs_limit(struct kunit *test)
{
	static const struct xgd_mode mode = { .max_refs = 1024, .max_private = 8 };
	struct runs *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	struct xgd_device *xd = unit_device(test, &mode);
	grant_ref_t first;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, runs);
	KUNIT_EXPECT_EQ(test, xgd_refs_alloc(xd, 1025, is_brief(test), &first), -EDQUOT);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	while (!(ret = xgd_refs_alloc(xd, 8, is_brief(test), &first)) && runs->count < 200)
		runs_add(runs, first, 8);
	KUNIT_EXPECT_EQ(test, ret, -EDQUOT);
	KUNIT_EXPECT_LE(test, runs->count, 128);
	KUNIT_EXPECT_GE(test, runs->count, 96);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), runs->count * 8);
	runs_free(xd, runs);
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, xgd_refs_alloc(xd, 512, is_brief(test), &first), 0);
	xgd_refs_free(xd, first, 512);
}

/* Take all there are. */
static unsigned int take_all(struct kunit *test, struct runs *runs, bool brief)
{
	grant_ref_t first;
	int ret;

	while (!(ret = xgd_refs_alloc(test->priv, 128, brief, &first)) &&
	       runs->count < ARRAY_SIZE(runs->run)) {
		KUNIT_EXPECT_FALSE(test, runs_have(runs, first, 128));
		runs_add(runs, first, 128);
	}
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, unit_refs(test->priv), runs->count * 128);

	return runs->count;
}

/* What one sort had the other can have. */
static void refs_no_references(struct kunit *test)
{
	static const struct xgd_mode mode = { .max_refs = U32_MAX, .max_private = 8 };
	struct runs *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	unsigned int all = gnttab_max_grant_frames() * 512;
	struct xgd_device *xd = unit_device(test, &mode);

	KUNIT_ASSERT_NOT_NULL(test, runs);
	KUNIT_EXPECT_EQ(test, xd->mode.max_refs, all);
	/* The pool needs room to begin its groups at multiples of 64. */
	KUNIT_EXPECT_GT(test, take_all(test, runs, is_brief(test)), all / 128 * 3 / 4);
	runs_free(xd, runs);
	KUNIT_EXPECT_GT(test, take_all(test, runs, !is_brief(test)), all / 128 * 3 / 4);
	runs_free(xd, runs);
}

static void refs_entries(struct kunit *test)
{
	unsigned int count = gnttab_max_grant_frames() * 512;
	struct xgd_device *xd = unit_device(test, NULL);

	KUNIT_EXPECT_NULL(test, xgd_refs_entry(count));
	KUNIT_EXPECT_NULL(test, xgd_refs_entry((u64)U32_MAX + 1));
	KUNIT_EXPECT_NULL(test, xgd_refs_entry(U64_MAX));
	KUNIT_EXPECT_NULL(test, xgd_refs_entry(XGD_REF_NONE));
	KUNIT_EXPECT_GE(test, xgd_refs_max_run(), 2);
	KUNIT_EXPECT_LE(test, xgd_refs_max_run(), count / 8);
	/* Nothing was said of its limit. */
	KUNIT_EXPECT_EQ(test, xd->mode.max_refs, count / 2);
}

/* Runs of pages, in order, for reading only or not. */
static void refs_grant(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *pages = unit_pages(test, get_order(RUN * XEN_PAGE_SIZE));
	struct unit_map map;
	grant_ref_t first;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, RUN, is_brief(test), &first), 0);
	for (i = 0; i < RUN; i++) {
		snprintf(pages + i * XEN_PAGE_SIZE, 16, "page %u", i);
		/* Any byte of the page will do. */
		xgd_refs_grant(xd, first + i, 1, virt_to_phys(pages) + i * XEN_PAGE_SIZE + i,
			       i % 2);
	}
	for (i = 0; i < RUN; i++) {
		struct xgd_ref *entry = xgd_refs_entry(first + i);

		KUNIT_EXPECT_EQ(test, entry->owner, xd->id);
		KUNIT_EXPECT_PTR_EQ(test, entry->page, virt_to_page(pages + i * XEN_PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, entry->flags, i % 2 ? XGD_REF_READONLY : 0);
		KUNIT_EXPECT_TRUE(test, unit_sees(test, first + i, 0, pages + i * XEN_PAGE_SIZE,
						  XEN_PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, unit_can(first + i, false), i % 2 == 0);
	}

	KUNIT_ASSERT_EQ(test, unit_map(first, false, &map), 0);
	unit_fill(&map, 100, 'w', 32);
	unit_unmap(&map);
	KUNIT_EXPECT_NULL(test, memchr_inv(pages + 100, 'w', 32));
	KUNIT_EXPECT_EQ(test, pages[132], 0);

	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first, RUN, false), 0);
	for (i = 0; i < RUN; i++)
		KUNIT_EXPECT_FALSE(test, unit_can(first + i, true));
}

static void refs_rw_grants(struct kunit *test)
{
	static const struct xgd_mode mode = { .rw_grants = true };
	struct xgd_device *xd = unit_device(test, &mode);
	char *page = unit_pages(test, 0);
	grant_ref_t ref;

	KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, 1, is_brief(test), &ref), 0);
	xgd_refs_grant(xd, ref, 1, virt_to_phys(page), true);
	KUNIT_EXPECT_TRUE(test, unit_can(ref, false));
	KUNIT_EXPECT_EQ(test, xgd_refs_entry(ref)->flags, 0);
	KUNIT_EXPECT_EQ(test, xgd_revoke(xd, ref, 1, false), 0);
}

static void refs_next_of(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	char *page = unit_pages(test, 0);
	grant_ref_t first[3], ref = 0;
	unsigned int i, found = 0;
	u64 sum = 0, expected = 0;

	KUNIT_EXPECT_EQ(test, xgd_refs_next_of(xd->id, 0), XGD_REF_NONE);
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, 1, is_brief(test), &first[i]), 0);
		xgd_refs_grant(xd, first[i], 1, virt_to_phys(page), false);
		expected += first[i];
	}
	while ((ref = xgd_refs_next_of(xd->id, ref)) != XGD_REF_NONE) {
		found++;
		sum += ref++;
	}
	KUNIT_EXPECT_EQ(test, found, ARRAY_SIZE(first));
	KUNIT_EXPECT_EQ(test, sum, expected);
	KUNIT_EXPECT_EQ(test, xgd_refs_next_of(xd->id + 1, 0), XGD_REF_NONE);
	for (i = 0; i < ARRAY_SIZE(first); i++)
		KUNIT_EXPECT_EQ(test, xgd_revoke(xd, first[i], 1, false), 0);
}

/* ---- many at a time, also from interrupts ---- */

#define THREADS		4
#define TURNS		3000

struct crowd {
	struct xgd_device	*xd;
	atomic_t		wrong;
	atomic_t		failed;
	atomic_t		interrupts;
	struct hrtimer		timer;
	struct completion	done[THREADS];
};

struct member {
	struct crowd	*crowd;
	unsigned int	number;
};

/* Whoever has a reference has its entry to itself. */
static void crowd_use(struct crowd *crowd, grant_ref_t first, unsigned int count, void *me)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		WRITE_ONCE(xgd_refs_entry(first + i)->page, me);
	cpu_relax();
	for (i = 0; i < count; i++)
		if (READ_ONCE(xgd_refs_entry(first + i)->page) != me)
			atomic_inc(&crowd->wrong);
}

static int crowd_thread(void *data)
{
	struct member *member = data;
	struct crowd *crowd = member->crowd;
	struct rnd_state random;
	grant_ref_t first[8];
	unsigned int count[8] = { 0 };
	unsigned int i, slot;

	prandom_seed_state(&random, member->number + 1);
	for (i = 0; i < TURNS; i++) {
		slot = prandom_u32_state(&random) % ARRAY_SIZE(count);
		if (count[slot]) {
			crowd_use(crowd, first[slot], count[slot], &count[slot]);
			xgd_refs_free(crowd->xd, first[slot], count[slot]);
		}
		count[slot] = prandom_u32_state(&random) % 4 ?
			      1 : 1 + prandom_u32_state(&random) % 33;
		if (xgd_refs_alloc(crowd->xd, count[slot], i % 8, &first[slot])) {
			atomic_inc(&crowd->failed);
			count[slot] = 0;
		}
		cond_resched();
	}
	for (slot = 0; slot < ARRAY_SIZE(count); slot++)
		if (count[slot])
			xgd_refs_free(crowd->xd, first[slot], count[slot]);
	complete(&crowd->done[member->number]);

	return 0;
}

static enum hrtimer_restart crowd_timer(struct hrtimer *timer)
{
	struct crowd *crowd = container_of(timer, struct crowd, timer);
	grant_ref_t first;

	if (!xgd_refs_alloc(crowd->xd, 2, true, &first)) {
		crowd_use(crowd, first, 2, crowd);
		xgd_refs_free(crowd->xd, first, 2);
		atomic_inc(&crowd->interrupts);
	}
	hrtimer_forward_now(timer, ms_to_ktime(2));

	return HRTIMER_RESTART;
}

static void refs_crowd(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	struct member members[THREADS];
	struct task_struct *task;
	unsigned int i, started = 0;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->xd = unit_device(test, NULL);
	hrtimer_init(&crowd->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	crowd->timer.function = crowd_timer;
	hrtimer_start(&crowd->timer, ms_to_ktime(2), HRTIMER_MODE_REL_HARD);
	for (i = 0; i < THREADS; i++) {
		init_completion(&crowd->done[i]);
		members[i].crowd = crowd;
		members[i].number = i;
		task = kthread_run(crowd_thread, &members[i], "xgd-unit/%u", i);
		if (IS_ERR(task))
			break;
		started++;
	}
	for (i = 0; i < started; i++)
		wait_for_completion(&crowd->done[i]);
	hrtimer_cancel(&crowd->timer);

	KUNIT_EXPECT_EQ(test, started, THREADS);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd->wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd->failed), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&crowd->interrupts), 10);
	KUNIT_EXPECT_EQ(test, unit_refs(crowd->xd), 0);
}

/* What is told of the pool is what was taken of it. */
static void refs_usage(struct kunit *test)
{
	struct xgd_device *xd = unit_device(test, NULL);
	struct xgd_refs_usage before, taken, after;
	grant_ref_t first;

	KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, 1, true, &first), 0);
	xgd_refs_usage(&before);
	xgd_refs_free(xd, first, 1);
	KUNIT_ASSERT_EQ(test, xgd_refs_alloc(xd, RUN, true, &first), 0);
	xgd_refs_usage(&taken);
	xgd_refs_free(xd, first, RUN);
	xgd_refs_usage(&after);
	KUNIT_EXPECT_EQ(test, before.pool - before.free, 1);
	KUNIT_EXPECT_EQ(test, taken.pool - taken.free, RUN);
	KUNIT_EXPECT_EQ(test, after.pool, after.free);
	KUNIT_EXPECT_GE(test, taken.bytes, PAGE_SIZE + taken.pool / XGD_GROUP_REFS *
					   sizeof(struct xgd_group));
}

static struct kunit_case refs_cases[] = {
	KUNIT_CASE_PARAM(refs_no_memory, kind_gen_params),
	KUNIT_CASE_PARAM(refs_runs, kind_gen_params),
	KUNIT_CASE(refs_usage),
	KUNIT_CASE_PARAM(refs_limit, kind_gen_params),
	KUNIT_CASE_PARAM(refs_no_references, kind_gen_params),
	KUNIT_CASE(refs_entries),
	KUNIT_CASE_PARAM(refs_grant, kind_gen_params),
	KUNIT_CASE_PARAM(refs_rw_grants, kind_gen_params),
	KUNIT_CASE_PARAM(refs_next_of, kind_gen_params),
	KUNIT_CASE(refs_crowd),
	{}
};

static struct kunit_suite refs_suite = {
	.name = "xgd_refs",
	.init = unit_init,
	.exit = unit_exit,
	.test_cases = refs_cases,
};

kunit_test_suite(refs_suite);
