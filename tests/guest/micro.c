// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the DMA API costs on a device that uses grants: cycles per call, for
 * "make bench". It tells in the kernel log, after "xgd_fake: micro ":
 *
 *   WHAT|HELD|MEDIAN|QUARTILE|QUARTILE	one call, or map and unmap, with so many
 *					other mappings held
 *
 * The loop around the calls is measured, too, and subtracted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timex.h>
#include <xen/page.h>

#include "micro.h"
#include "pieces.h"

#define REPEATS		31
#define BUFFER_SIZE	(SZ_1M + XEN_PAGE_SIZE)

static uint held = 4096;
module_param(held, uint, 0444);
MODULE_PARM_DESC(held, "with mode=micro: mappings to be held meanwhile, in a second round (default: 4096)");

/**
 * struct micro - one thing to measure
 * @name:	what it is, for people
 * @op:		does it once
 * @size:	bytes that it is about
 * @offset:	where in its page the buffer begins
 * @count:	how often it is done with one look at the clock
 */
struct micro {
	const char		*name;
	bool			(*op)(struct device *dev, const struct micro *micro,
				      enum dma_data_direction dir);
	size_t			size;
	unsigned int		offset;
	unsigned int		count;
};

static struct page *buffer;
static dma_addr_t synced, shared;

static bool do_nothing(struct device *dev, const struct micro *micro,
		       enum dma_data_direction dir)
{
	return true;
}

static bool do_map(struct device *dev, const struct micro *micro, enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_page(dev, buffer, micro->offset, micro->size, dir);

	if (dma_mapping_error(dev, addr))
		return false;
	dma_unmap_page(dev, addr, micro->size, dir);

	return true;
}

static bool do_coherent(struct device *dev, const struct micro *micro,
			enum dma_data_direction dir)
{
	dma_addr_t addr;
	void *mem = dma_alloc_coherent(dev, micro->size, &addr, GFP_KERNEL);

	if (!mem)
		return false;
	dma_free_coherent(dev, micro->size, mem, addr);

	return true;
}

static bool do_sync(struct device *dev, const struct micro *micro, enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE)
		dma_sync_single_for_device(dev, synced, micro->size, dir);
	else
		dma_sync_single_for_cpu(dev, synced, micro->size, dir);

	return true;
}

/* A part of a page that is mapped for long, as a network card's. */
static bool do_sync_part(struct device *dev, const struct micro *micro,
			 enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE)
		dma_sync_single_range_for_device(dev, shared, micro->offset, micro->size, dir);
	else
		dma_sync_single_range_for_cpu(dev, shared, micro->offset, micro->size, dir);

	return true;
}

static const struct micro micros[] = {
	{ "map 16 B", do_map, 16, 256, 128 },
	{ "map 512 B", do_map, 512, 512, 128 },
	{ "map 4 KiB", do_map, SZ_4K, 0, 128 },
	{ "map 4 KiB unaligned", do_map, SZ_4K, 256, 128 },
	{ "map 64 KiB", do_map, SZ_64K, 0, 32 },
	{ "map 1 MiB", do_map, SZ_1M, 0, 8 },
	{ "sync 64 B", do_sync, 64, 0, 128 },
	{ "sync 1500 B", do_sync, 1500, 0, 128 },
	{ "sync 64 B of 4 KiB", do_sync_part, 64, 1600, 128 },
	{ "sync 1500 B of 4 KiB", do_sync_part, 1500, 1600, 128 },
	{ "coherent 4 KiB", do_coherent, SZ_4K, 0, 64 },
	{ "coherent 64 KiB", do_coherent, SZ_64K, 0, 16 },
};

/* Cycles for all calls of one look at the clock, or 0 if one of them failed. */
static u64 measure_once(struct device *dev, const struct micro *micro,
			enum dma_data_direction dir,
			bool (*op)(struct device *dev, const struct micro *micro,
				   enum dma_data_direction dir))
{
	/* Coherent memory cannot be freed with interrupts off. */
	bool irqs_off = micro->op != do_coherent;
	unsigned long flags = 0;
	bool good = true;
	unsigned int i;
	u64 begin, end;

	if (irqs_off)
		local_irq_save(flags);
	begin = get_cycles();
	for (i = 0; i < micro->count; i++)
		good &= op(dev, micro, dir);
	end = get_cycles();
	if (irqs_off)
		local_irq_restore(flags);

	return good ? end - begin : 0;
}

static int by_value(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

static void measure(struct device *dev, const struct micro *micro,
		    enum dma_data_direction dir, const char *said, unsigned int holding)
{
	u64 loop = U64_MAX, cycles[REPEATS];
	unsigned int i;

	for (i = 0; i < REPEATS; i++)
		loop = min(loop, measure_once(dev, micro, dir, do_nothing));
	/* Once more for what is made at the first time. */
	measure_once(dev, micro, dir, micro->op);
	for (i = 0; i < REPEATS; i++) {
		cycles[i] = measure_once(dev, micro, dir, micro->op);
		if (!cycles[i]) {
			pr_err("%s: a call failed\n", micro->name);
			return;
		}
		cycles[i] = (cycles[i] - min(loop, cycles[i])) / micro->count;
	}
	sort(cycles, REPEATS, sizeof(*cycles), by_value, NULL);
	pr_info("micro %s%s|%u|%llu|%llu|%llu\n", micro->name, said, holding,
		cycles[REPEATS / 2], cycles[REPEATS / 4], cycles[REPEATS - 1 - REPEATS / 4]);
}

static int measure_direction(struct device *dev, enum dma_data_direction dir,
			     const char *said, unsigned int holding)
{
	unsigned int i;

	synced = dma_map_page(dev, buffer, 256, 1500, dir);
	if (dma_mapping_error(dev, synced))
		return -EIO;
	shared = dma_map_page_attrs(dev, buffer, 0, SZ_4K, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (dma_mapping_error(dev, shared)) {
		dma_unmap_page(dev, synced, 1500, dir);
		return -EIO;
	}
	for (i = 0; i < ARRAY_SIZE(micros); i++)
		if (micros[i].op != do_coherent)
			measure(dev, &micros[i], dir, said, holding);
	dma_unmap_page_attrs(dev, shared, SZ_4K, dir, DMA_ATTR_SKIP_CPU_SYNC);
	dma_unmap_page(dev, synced, 1500, dir);

	return 0;
}

static int measure_all(struct device *dev, unsigned int holding)
{
	unsigned int i;
	int ret;

	/* Memory of a program, or of the page cache; and then the kernel's own. */
	buffer->mapping = &pieces_mapping;
	ret = measure_direction(dev, DMA_TO_DEVICE, ", to device", holding);
	if (!ret)
		ret = measure_direction(dev, DMA_FROM_DEVICE, ", from device", holding);
	buffer->mapping = NULL;
	if (!ret)
		ret = measure_direction(dev, DMA_FROM_DEVICE, ", from device, kernel's own",
					holding);
	for (i = 0; i < ARRAY_SIZE(micros) && !ret; i++)
		if (micros[i].op == do_coherent)
			measure(dev, &micros[i], DMA_BIDIRECTIONAL, "", holding);

	return ret;
}

/*
 * Mappings of a page each, as they lie in the queues of busy devices: others between
 * them are gone.
 */
static int measure_holding(struct device *dev)
{
	dma_addr_t *addrs = kvcalloc(held, 2 * sizeof(*addrs), GFP_KERNEL);
	unsigned int i, count;
	int ret = -EIO;

	if (!addrs)
		return -ENOMEM;
	for (count = 0; count < 2 * held; count++) {
		addrs[count] = dma_map_page(dev, buffer, 0, XEN_PAGE_SIZE, DMA_TO_DEVICE);
		if (dma_mapping_error(dev, addrs[count]))
			goto out;
	}
	for (i = 0; i < held; i++) {
		dma_unmap_page(dev, addrs[2 * i + 1], XEN_PAGE_SIZE, DMA_TO_DEVICE);
		addrs[i] = addrs[2 * i];
	}
	count = held;
	ret = measure_all(dev, held);
out:
	while (count)
		dma_unmap_page(dev, addrs[--count], XEN_PAGE_SIZE, DMA_TO_DEVICE);
	kvfree(addrs);
	return ret;
}

/**
 * micro_measure - measure all, and tell
 * @dev: the device
 *
 * Context: process, may sleep.
 * Return: 0 or an error.
 */
int micro_measure(struct device *dev)
{
	int ret;

	buffer = alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(BUFFER_SIZE));
	if (!buffer)
		return -ENOMEM;

	ret = measure_all(dev, 0);
	if (!ret && held)
		ret = measure_holding(dev);
	__free_pages(buffer, get_order(BUFFER_SIZE));

	return ret;
}
