// SPDX-License-Identifier: GPL-2.0-only
/*
 * How mappings go on several CPUs at once, each with buffers of its own, for "make
 * bench" and for a look at locks. It tells in the kernel log, after "xgd_fake: scale ":
 *
 *   WHAT|CPUS|MAPPINGS PER MILLISECOND	of all CPUs together
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <xen/page.h>

#include "scale.h"

static uint rounds = 200000;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "with mode=scale: mappings on each CPU (default: 200000)");

static const struct kind {
	const char	*name;
	size_t		size;
} kinds[] = {
	{ "map 16 B", 16 },
	{ "map 4 KiB", SZ_4K },
	{ "map 64 KiB", SZ_64K },
};

#define ROOM_ORDER	get_order(SZ_64K)

/**
 * struct run - what the CPUs do together
 * @dev:	the device
 * @size:	of each mapping, in bytes
 * @go:		all begin now
 * @ready:	how many wait for @go
 * @left:	how many have not ended
 * @failed:	a mapping failed
 * @wait:	woken when one of these changes
 */
struct run {
	struct device		*dev;
	size_t			size;
	bool			go;
	atomic_t		ready;
	atomic_t		left;
	bool			failed;
	wait_queue_head_t	wait;
};

static bool map_often(const struct run *run, struct page *page)
{
	dma_addr_t addr;
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		addr = dma_map_page(run->dev, page, 0, run->size, DMA_TO_DEVICE);
		if (dma_mapping_error(run->dev, addr))
			return false;
		dma_unmap_page(run->dev, addr, run->size, DMA_TO_DEVICE);
	}

	return true;
}

static int on_one_cpu(void *data)
{
	struct run *run = data;
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, ROOM_ORDER);

	atomic_inc(&run->ready);
	wake_up_all(&run->wait);
	wait_event(run->wait, READ_ONCE(run->go));
	if (!page || !map_often(run, page))
		WRITE_ONCE(run->failed, true);
	if (page)
		__free_pages(page, ROOM_ORDER);
	atomic_dec(&run->left);
	wake_up_all(&run->wait);
	/* Until here others use what is on the stack of measure(). */
	wait_event(run->wait, kthread_should_stop());

	return 0;
}

static int measure(struct device *dev, const struct kind *kind, unsigned int cpus)
{
	struct task_struct **tasks = kcalloc(cpus, sizeof(*tasks), GFP_KERNEL);
	struct run run = { .dev = dev, .size = kind->size };
	unsigned int cpu;
	int ret = 0;
	u64 ns;

	if (!tasks)
		return -ENOMEM;

	init_waitqueue_head(&run.wait);
	for (cpu = 0; cpu < cpus; cpu++) {
		tasks[cpu] = kthread_create_on_cpu(on_one_cpu, &run, cpu, "xgd_scale/%u");
		if (IS_ERR(tasks[cpu])) {
			ret = PTR_ERR(tasks[cpu]);
			cpus = cpu;
			break;
		}
		atomic_inc(&run.left);
		wake_up_process(tasks[cpu]);
	}
	wait_event(run.wait, atomic_read(&run.ready) == cpus);
	ns = ktime_get_ns();
	WRITE_ONCE(run.go, true);
	wake_up_all(&run.wait);
	wait_event(run.wait, !atomic_read(&run.left));
	ns = ktime_get_ns() - ns;
	for (cpu = 0; cpu < cpus; cpu++)
		kthread_stop(tasks[cpu]);
	kfree(tasks);

	if (run.failed)
		ret = -EIO;
	if (ret)
		pr_err("%s: it failed on a CPU: %d\n", kind->name, ret);
	else
		pr_info("scale %s|%u|%llu\n", kind->name, cpus,
			div64_u64((u64)cpus * rounds * NSEC_PER_MSEC, ns));

	return ret;
}

/**
 * scale_measure - measure on one CPU, on two and so on, and tell
 * @dev: the device
 *
 * Context: process, may sleep.
 * Return: 0 or an error.
 */
int scale_measure(struct device *dev)
{
	unsigned int i, cpus;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (cpus = 1; cpus <= num_online_cpus() && !ret; cpus *= 2)
			ret = measure(dev, &kinds[i], cpus);

	return ret;
}
