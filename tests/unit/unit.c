// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the KUnit suites share: a device, its memory, and a backend. The backend is
 * tests/backend/unit_backend.c in dom0, which is asked through a mailbox.
 */
#include <kunit/device.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen/xenbus.h>

#include "data/bounce.h"
#include "data/dma.h"
#include "data/refs.h"
#include "data/revoke.h"
#include "params.h"
#include "unit.h"
#include "unit_mailbox.h"

/* As long as a backend that has let go may take to be noticed, in milliseconds. */
#define UNIT_PATIENCE_MS	30000

/**
 * unit_init - before each test
 * @test:	the test
 *
 * Return: 0.
 */
int unit_init(struct kunit *test)
{
	test->priv = NULL;

	return 0;
}

/**
 * unit_exit - after each test: whatever it did, nothing is left
 * @test:	the test
 */
void unit_exit(struct kunit *test)
{
	struct xgd_device *xd = test->priv;

	unit_failed();
	unit_no_memory(false);
	if (!xd)
		return;

	xgd_revoke_all(xd);
	KUNIT_EXPECT_TRUE(test, xgd_revoke_wait(xd, UNIT_PATIENCE_MS));
	KUNIT_EXPECT_EQ(test, unit_refs(xd), 0);
	KUNIT_EXPECT_EQ(test, xd->bounce.count, 0);
	KUNIT_EXPECT_EQ(test, xgd_refs_next_of(xd->id, 0), XGD_REF_NONE);
	set_dma_ops(xd->dev, NULL);
	xgd_device_put(xd);
}

/**
 * unit_device - a device whose backend is dom0
 * @test:	the test; it has one device at most
 * @mode:	how the device is served; NULL for what a user gets who says nothing
 *
 * Return: the device; the test ends if there is none.
 */
struct xgd_device *unit_device(struct kunit *test, const struct xgd_mode *mode)
{
	struct device *dev = kunit_device_register(test, "xgd-unit");
	struct xgd_device *xd;
	struct xgd_mode usual;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	xgd_params_mode(&usual);
	xd = xgd_device_create(dev, 0, "unit test", mode ?: &usual);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, xd);
	test->priv = xd;

	return xd;
}

/**
 * unit_attach - have the DMA API use it
 * @xd:	the device
 */
void unit_attach(struct xgd_device *xd)
{
	set_dma_ops(xd->dev, &xd->ops);
	dma_set_mask_and_coherent(xd->dev, DMA_BIT_MASK(64));
}

/**
 * unit_refs - how many references a device has
 * @xd:	the device
 *
 * Return: their number.
 */
s64 unit_refs(struct xgd_device *xd)
{
	return xgd_refs_count(xd);
}

static void unit_free_pages(void *pages)
{
	/* The reference count of what a backend still had is not ours alone. */
	put_page(virt_to_page(pages));
}

/**
 * unit_pages - zeroed memory that can be granted in place
 * @test:	the test; the memory is freed when it ends
 * @order:	log2 of the number of pages
 *
 * Return: the memory; the test ends if there is none.
 */
char *unit_pages(struct kunit *test, unsigned int order)
{
	void *pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, order);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unit_free_pages, pages), 0);

	return pages;
}

/* ---- the backend ---- */

static struct unit_mailbox *unit_mailbox;
static char *unit_data;
static u32 unit_mailbox_refs[2];

/* Have the backend do something. One test runs at a time, so one asks at a time. */
static int unit_ask(u32 command)
{
	unsigned long end = jiffies + msecs_to_jiffies(UNIT_PATIENCE_MS);

	/* After its arguments; and the result is there when it is done. */
	smp_store_release(&unit_mailbox->command, command);
	/* See the backend's main(). */
	while (smp_load_acquire(&unit_mailbox->command) != UNIT_NONE) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(100, 200);
	}

	return unit_mailbox->result;
}

/**
 * unit_map - have the backend map a grant
 * @ref:	its reference
 * @readonly:	for reading only
 * @map:	the mapping, to be ended with unit_unmap()
 *
 * Return: 0, 1 when Xen does not allow this, or a negative error when the backend
 * does not answer.
 */
int unit_map(grant_ref_t ref, bool readonly, struct unit_map *map)
{
	int ret;

	unit_mailbox->ref = ref;
	unit_mailbox->readonly = readonly;
	ret = unit_ask(UNIT_MAP);
	map->slot = unit_mailbox->slot;

	return ret;
}

/**
 * unit_unmap - have it let go of a grant
 * @map:	the mapping
 */
void unit_unmap(struct unit_map *map)
{
	unit_mailbox->slot = map->slot;
	unit_ask(UNIT_UNMAP);
}

/**
 * unit_look - what does it see there?
 * @map:	a mapping
 *
 * Return: the page's content, until the backend is asked for something else.
 */
const char *unit_look(const struct unit_map *map)
{
	unit_mailbox->slot = map->slot;
	memset(unit_data, 0, XEN_PAGE_SIZE);
	unit_ask(UNIT_READ);

	return unit_data;
}

/**
 * unit_fill - have it write
 * @map:	a mapping
 * @offset:	where in the page
 * @byte:	what to write
 * @size:	how often
 */
void unit_fill(const struct unit_map *map, unsigned int offset, char byte, size_t size)
{
	unit_mailbox->slot = map->slot;
	unit_mailbox->offset = offset;
	unit_mailbox->size = size;
	memset(unit_data + offset, byte, size);
	unit_ask(UNIT_WRITE);
}

/**
 * unit_can - does Xen let it map this?
 * @ref:	a reference
 * @readonly:	for reading only
 *
 * Return: whether it does.
 */
bool unit_can(grant_ref_t ref, bool readonly)
{
	struct unit_map map;

	if (unit_map(ref, readonly, &map))
		return false;
	unit_unmap(&map);

	return true;
}

/**
 * unit_see - what does it see of a grant?
 * @test:	the test
 * @ref:	the reference
 *
 * Return: the page's content, until the backend is asked for something else.
 */
const char *unit_see(struct kunit *test, grant_ref_t ref)
{
	static char content[XEN_PAGE_SIZE];
	struct unit_map map;

	KUNIT_ASSERT_EQ(test, unit_map(ref, true, &map), 0);
	memcpy(content, unit_look(&map), XEN_PAGE_SIZE);
	unit_unmap(&map);

	return content;
}

/**
 * unit_sees - does it see this?
 * @test:	the test
 * @ref:	reference of the page
 * @offset:	where in the page
 * @data:	what it is to see
 * @size:	in bytes
 *
 * Return: whether it does.
 */
bool unit_sees(struct kunit *test, grant_ref_t ref, unsigned int offset, const void *data,
	       size_t size)
{
	return !memcmp(unit_see(test, ref) + offset, data, size);
}

/**
 * unit_sees_only - does it see this, and zeroes in the rest of the page?
 * @test:	the test
 * @ref:	reference of the page
 * @offset:	where in the page
 * @data:	what it is to see
 * @size:	in bytes
 *
 * Return: whether it does.
 */
bool unit_sees_only(struct kunit *test, grant_ref_t ref, unsigned int offset,
		    const void *data, size_t size)
{
	const char *content = unit_see(test, ref);

	return !memcmp(content + offset, data, size) &&
	       !memchr_inv(content, 0, offset) &&
	       !memchr_inv(content + offset + size, 0, XEN_PAGE_SIZE - offset - size);
}

/* A page of the mailbox, for dom0. */
static void *unit_mailbox_page(u32 *ref)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!page)
		return NULL;

	ret = gnttab_grant_foreign_access(0, virt_to_gfn(page), 0);
	if (ret < 0) {
		free_page((unsigned long)page);
		return NULL;
	}
	*ref = ret;

	return page;
}

static void unit_mailbox_close(void)
{
	/* These free the pages, when dom0 has let go of them. */
	if (unit_mailbox)
		gnttab_end_foreign_access(unit_mailbox_refs[0], virt_to_page(unit_mailbox));
	if (unit_data)
		gnttab_end_foreign_access(unit_mailbox_refs[1], virt_to_page(unit_data));
}

/* Tell dom0 where it is, and wait for the backend. */
static int unit_mailbox_open(void)
{
	int ret;

	unit_mailbox = unit_mailbox_page(&unit_mailbox_refs[0]);
	unit_data = unit_mailbox_page(&unit_mailbox_refs[1]);
	ret = -ENOMEM;
	if (!unit_mailbox || !unit_data)
		goto err_close;

	ret = xenbus_printf(XBT_NIL, "data", "xgd-unit", "%u %u", unit_mailbox_refs[0],
			    unit_mailbox_refs[1]);
	if (ret)
		goto err_close;

	ret = unit_ask(UNIT_HELLO);
	if (ret)
		goto err_close;

	return 0;

err_close:
	pr_err("xgd_kunit: no backend: %d\n", ret);
	unit_mailbox_close();
	return ret;
}

static int __init unit_module_init(void)
{
	int ret;

	ret = xgd_refs_init(1);
	if (ret)
		return ret;

	ret = xgd_revoke_module_init();
	if (ret)
		goto err_refs;

	ret = unit_mailbox_open();
	if (ret)
		goto err_revoke;

	return 0;

err_revoke:
	xgd_revoke_module_exit();
err_refs:
	xgd_refs_exit();
	return ret;
}

static void __exit unit_module_exit(void)
{
	unit_ask(UNIT_BYE);
	unit_mailbox_close();
	xgd_revoke_module_exit();
	xgd_refs_exit();
}

module_init(unit_module_init);
module_exit(unit_module_exit);

MODULE_DESCRIPTION("Test: KUnit suites of xen_grant_dma");
MODULE_LICENSE("GPL");
