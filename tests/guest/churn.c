// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of any size, place and direction, mapped and unmapped in any order, for
 * xgd_fake. Nobody writes to them: what is in them must stay, whether a mapping
 * fails or not.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/page.h>

#include "churn.h"

static uint churn = 1000;
module_param(churn, uint, 0444);
MODULE_PARM_DESC(churn, "with mode=churn: thousands of mappings (default: 1000)");

static uint seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "with mode=churn: where the random numbers begin (default: 0)");

#define ROOM_ORDER	8
#define ROOM		(PAGE_SIZE << ROOM_ORDER)
#define SLAB_ROOM	SZ_16K
#define LARGEST		SZ_64K
#define LIVE_MAX	512
#define FILL		0x5a

static struct live {
	dma_addr_t		addr;
	size_t			size;
	enum dma_data_direction	dir;
	bool			mapped;
} lives[LIVE_MAX];

static struct churn {
	struct rnd_state	rnd;
	char			*pages;
	char			*slab;
	u64			mapped;
	u64			failed;
	unsigned int		live;
	unsigned int		live_max;
} state;

static u32 below(u32 limit)
{
	return prandom_u32_state(&state.rnd) % limit;
}

static void unmap(struct device *dev, struct live *live)
{
	dma_unmap_single(dev, live->addr, live->size, live->dir);
	live->mapped = false;
	state.live--;
}

static void map(struct device *dev, struct live *live)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL
	};
	size_t room = ROOM, offset;
	char *at = state.pages;

	live->dir = dirs[below(ARRAY_SIZE(dirs))];
	switch (below(4)) {
	case 0:		/* a piece of a page, perhaps across its end */
		live->size = 1 + below(2048);
		break;
	case 1:		/* of a slab */
		at = state.slab;
		room = SLAB_ROOM;
		live->size = 1 + below(SLAB_ROOM);
		break;
	case 2:		/* whole pages */
		live->size = XEN_PAGE_SIZE * (1 + below(LARGEST / XEN_PAGE_SIZE));
		break;
	default:
		live->size = 1 + below(LARGEST);
		break;
	}
	offset = below(room - live->size + 1);
	if (!(live->size % XEN_PAGE_SIZE))
		offset = round_down(offset, XEN_PAGE_SIZE);

	live->addr = dma_map_single(dev, at + offset, live->size, live->dir);
	if (dma_mapping_error(dev, live->addr)) {
		state.failed++;
		return;
	}
	live->mapped = true;
	state.mapped++;
	state.live_max = max(state.live_max, ++state.live);
}

static void step(struct device *dev)
{
	struct live *live = &lives[below(LIVE_MAX)];

	if (!live->mapped)
		map(dev, live);
	else if (below(4))
		unmap(dev, live);
	else
		dma_sync_single_for_cpu(dev, live->addr + live->size / 2,
					live->size - live->size / 2, live->dir);
}

/**
 * churn_run - map and unmap as often as the parameter says
 * @dev:	the DMA device
 *
 * Context: process, sleeps; some of the mappings are made with interrupts off.
 * Return: 0 or a negative error; what came of it is in the log.
 */
int churn_run(struct device *dev)
{
	u64 begin = ktime_get_ns(), count = (u64)churn * 1000;
	unsigned long flags;
	unsigned int i;
	bool good;

	memset(&state, 0, sizeof(state));
	prandom_seed_state(&state.rnd, seed);
	state.pages = (char *)__get_free_pages(GFP_KERNEL | __GFP_COMP, ROOM_ORDER);
	state.slab = kmalloc(SLAB_ROOM, GFP_KERNEL);
	if (!state.pages || !state.slab) {
		free_pages((unsigned long)state.pages, ROOM_ORDER);
		kfree(state.slab);
		return -ENOMEM;
	}
	memset(state.pages, FILL, ROOM);
	memset(state.slab, FILL, SLAB_ROOM);

	while (state.mapped + state.failed < count) {
		local_irq_save(flags);
		for (i = 0; i < 8; i++)
			step(dev);
		local_irq_restore(flags);
		for (i = 0; i < 256; i++)
			step(dev);
		cond_resched();
	}
	for (i = 0; i < LIVE_MAX; i++)
		if (lives[i].mapped)
			unmap(dev, &lives[i]);

	good = !memchr_inv(state.pages, FILL, ROOM) && !memchr_inv(state.slab, FILL, SLAB_ROOM);
	pr_info("churn: %llu mapped, %llu failed, up to %u at a time, %llu ms, data %s\n",
		state.mapped, state.failed, state.live_max,
		div_u64(ktime_get_ns() - begin, NSEC_PER_MSEC), good ? "right" : "WRONG");
	free_pages((unsigned long)state.pages, ROOM_ORDER);
	kfree(state.slab);

	return 0;
}
