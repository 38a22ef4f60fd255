// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of any size, place and direction, mapped and unmapped in any order, for
 * xgd_fake. Nobody writes to them: what is in them must stay, whether a mapping
 * fails or not.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
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
MODULE_PARM_DESC(seed, "with mode=churn: where the random numbers begin (default: 0); one more each time");

static bool faults;
module_param(faults, bool, 0444);
MODULE_PARM_DESC(faults, "with mode=churn: requests for memory may be failed meanwhile (default: N)");

#define ROOMS		8
#define ROOM_SIZE	SZ_1M
/* More than this does not come from a slab. */
#define SLAB_SIZE	SZ_8K
#define LARGEST		SZ_64K
#define LIVE_MAX	512
#define FILL		0x5a

/* What a device may write to must not share as much with another mapping. */
#define LINE		SZ_64

static struct room {
	char		*memory;
	size_t		size;
	DECLARE_BITMAP(written, ROOM_SIZE / LINE);
} rooms[ROOMS], slabs[ROOMS];

static struct live {
	struct room		*room;
	size_t			offset;
	dma_addr_t		addr;
	size_t			size;
	enum dma_data_direction	dir;
	bool			mapped;
} lives[LIVE_MAX];

#define RINGS		8
#define RING_SIZE	SZ_32K

static struct ring {
	void		*memory;
	size_t		size;
	dma_addr_t	addr;
} rings[RINGS];

static struct churn {
	struct rnd_state	rnd;
	u64			mapped;
	u64			failed;
	u64			rings;
	u64			rings_failed;
	bool			wrong;
	unsigned int		live;
	unsigned int		live_max;
} state;

/* That they are failed, and how often, is the kernel's fault injection's. */
static void allow_faults(bool allow)
{
#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = allow;
#endif
}

static u32 below(u32 limit)
{
	return prandom_u32_state(&state.rnd) % limit;
}

/* The device may write to this from now on. Not if it may already. */
static bool claim(const struct live *live)
{
	size_t from = live->offset / LINE, to = DIV_ROUND_UP(live->offset + live->size, LINE);

	if (live->dir == DMA_TO_DEVICE)
		return true;
	if (find_next_bit(live->room->written, to, from) < to)
		return false;
	bitmap_set(live->room->written, from, to - from);

	return true;
}

static void disclaim(const struct live *live)
{
	size_t from = live->offset / LINE, to = DIV_ROUND_UP(live->offset + live->size, LINE);

	if (live->dir != DMA_TO_DEVICE)
		bitmap_clear(live->room->written, from, to - from);
}

static void unmap(struct device *dev, struct live *live)
{
	dma_unmap_single(dev, live->addr, live->size, live->dir);
	disclaim(live);
	live->mapped = false;
	state.live--;
}

static void map(struct device *dev, struct live *live)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL
	};

	live->dir = dirs[below(ARRAY_SIZE(dirs))];
	live->room = &rooms[below(ROOMS)];
	switch (below(4)) {
	case 0:		/* a piece of a page, perhaps across its end */
		live->size = 1 + below(2048);
		break;
	case 1:		/* of a slab */
		live->room = &slabs[below(ROOMS)];
		live->size = 1 + below(SLAB_SIZE);
		break;
	case 2:		/* whole pages */
		live->size = XEN_PAGE_SIZE * (1 + below(LARGEST / XEN_PAGE_SIZE));
		break;
	default:
		live->size = 1 + below(LARGEST);
		break;
	}
	live->offset = below(live->room->size - live->size + 1);
	if (!(live->size % XEN_PAGE_SIZE))
		live->offset = round_down(live->offset, XEN_PAGE_SIZE);
	if (!claim(live))
		return;

	live->addr = dma_map_single(dev, live->room->memory + live->offset, live->size,
				    live->dir);
	if (dma_mapping_error(dev, live->addr)) {
		disclaim(live);
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

static void ring_free(struct device *dev, struct ring *ring)
{
	dma_free_coherent(dev, ring->size, ring->memory, ring->addr);
	ring->memory = NULL;
}

/* Memory as that of rings comes and goes, too. This may sleep. */
static void step_rings(struct device *dev)
{
	struct ring *ring = &rings[below(RINGS)];

	if (ring->memory) {
		ring_free(dev, ring);
		return;
	}
	ring->size = 1 + below(RING_SIZE);
	ring->memory = dma_alloc_coherent(dev, ring->size, &ring->addr,
					  GFP_KERNEL | __GFP_NOWARN);
	if (!ring->memory) {
		state.rings_failed++;
		return;
	}
	state.rings++;
	state.wrong |= !!memchr_inv(ring->memory, 0, ring->size);
	memset(ring->memory, FILL, ring->size);
}

static int rooms_get(void)
{
	unsigned int i;

	for (i = 0; i < ROOMS; i++) {
		rooms[i].size = ROOM_SIZE;
		rooms[i].memory = (char *)__get_free_pages(GFP_KERNEL | __GFP_COMP,
							   get_order(ROOM_SIZE));
		slabs[i].size = SLAB_SIZE;
		slabs[i].memory = kmalloc(SLAB_SIZE, GFP_KERNEL);
		if (!rooms[i].memory || !slabs[i].memory)
			return -ENOMEM;
		memset(rooms[i].memory, FILL, ROOM_SIZE);
		memset(slabs[i].memory, FILL, SLAB_SIZE);
	}

	return 0;
}

static void rooms_look(void)
{
	unsigned int i;

	for (i = 0; i < ROOMS; i++)
		state.wrong |= memchr_inv(rooms[i].memory, FILL, ROOM_SIZE) ||
			       memchr_inv(slabs[i].memory, FILL, SLAB_SIZE);
}

static void rooms_put(void)
{
	unsigned int i;

	for (i = 0; i < ROOMS; i++) {
		free_pages((unsigned long)rooms[i].memory, get_order(ROOM_SIZE));
		kfree(slabs[i].memory);
		rooms[i].memory = NULL;
		slabs[i].memory = NULL;
	}
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

	memset(&state, 0, sizeof(state));
	prandom_seed_state(&state.rnd, seed++);
	if (rooms_get()) {
		rooms_put();
		return -ENOMEM;
	}

	allow_faults(faults);
	while (state.mapped + state.failed < count) {
		local_irq_save(flags);
		for (i = 0; i < 8; i++)
			step(dev);
		local_irq_restore(flags);
		for (i = 0; i < 256; i++)
			step(dev);
		step_rings(dev);
		cond_resched();
	}
	for (i = 0; i < RINGS; i++)
		if (rings[i].memory)
			ring_free(dev, &rings[i]);
	for (i = 0; i < LIVE_MAX; i++)
		if (lives[i].mapped)
			unmap(dev, &lives[i]);
	allow_faults(false);

	rooms_look();
	pr_info("churn: %llu mapped, %llu failed, up to %u at a time, %llu ms; %llu rings, %llu failed; data %s\n",
		state.mapped, state.failed, state.live_max,
		div_u64(ktime_get_ns() - begin, NSEC_PER_MSEC), state.rings, state.rings_failed,
		state.wrong ? "WRONG" : "right");
	rooms_put();

	return 0;
}
