// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bugs, one of each kind that the debug kernel is to find, so that a test can tell
 * whether it does: insmod xgd_bug.ko bug=NAME.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which bug");

/* A PCI device, for the bugs that are about DMA: its first function is the disk. */
static struct device *bug_dma_device(void)
{
	struct pci_dev *pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(1, 0));

	return pdev ? &pdev->dev : NULL;
}

/* Reported when the device loses its driver. */
static void bug_dma_leak(void)
{
	struct device *dev = bug_dma_device();
	dma_addr_t addr;
	void *buffer;

	if (!dev)
		return;
	buffer = (void *)__get_free_page(GFP_KERNEL);
	addr = dma_map_single(dev, buffer, PAGE_SIZE, DMA_TO_DEVICE);
	if (!dma_mapping_error(dev, addr))
		pr_info("xgd_bug: mapped\n");
	put_device(dev);
}

static void bug_dma_size(void)
{
	struct device *dev = bug_dma_device();
	dma_addr_t addr;
	void *buffer;

	if (!dev)
		return;
	buffer = (void *)__get_free_page(GFP_KERNEL);
	addr = dma_map_single(dev, buffer, PAGE_SIZE, DMA_TO_DEVICE);
	if (!dma_mapping_error(dev, addr))
		dma_unmap_single(dev, addr, PAGE_SIZE / 2, DMA_TO_DEVICE);
	put_device(dev);
}

static void bug_atomic_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	msleep(20);
	spin_unlock(&lock);
}

static void bug_use_after_free(void)
{
	char *object = kmalloc(64, GFP_KERNEL);

	kfree(object);
	/* The compiler must not see this through. */
	OPTIMIZER_HIDE_VAR(object);
	pr_info("xgd_bug: %d\n", READ_ONCE(object[8]));
}

static void bug_out_of_bounds(void)
{
	char *object = kmalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
	WRITE_ONCE(object[64], 1);
	kfree(object);
}

static void bug_page_after_free(void)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);

	free_page((unsigned long)page);
	OPTIMIZER_HIDE_VAR(page);
	pr_info("xgd_bug: %d\n", READ_ONCE(page[8]));
}

static void bug_lock_order(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void bug_leak(void)
{
	/* Nobody else writes down where it is. */
	pr_info("xgd_bug: lost %d\n", !!kmalloc(4321, GFP_KERNEL));
}

static void bug_array(void)
{
	static int array[4];
	unsigned int index = 5;

	OPTIMIZER_HIDE_VAR(index);
	if (array[index % 8])
		pr_info("xgd_bug: found\n");
}

static void bug_shift(void)
{
	unsigned int bits = 33;

	OPTIMIZER_HIDE_VAR(bits);
	pr_info("xgd_bug: %d\n", 1 << bits);
}

static void bug_preemption(void)
{
	/* As a sum over this CPU would be that nothing keeps on it. */
	pr_info("xgd_bug: CPU %u\n", smp_processor_id());
}

static void bug_timer_fn(struct timer_list *timer)
{
}

static void bug_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, bug_timer_fn, 0);
	mod_timer(timer, jiffies + HZ);
	/* The kernel mends this one: it stops the timer. */
	kfree(timer);
}

/* No bug: the next request for memory fails, as KUnit's suites have it. */
static void bug_no_memory(void)
{
	void *object;
	struct page *page;

	current->fail_nth = 1;
	object = kmalloc(64, GFP_KERNEL);
	current->fail_nth = 1;
	page = alloc_page(GFP_KERNEL);
	current->fail_nth = 0;

	pr_info("xgd_bug: %s\n", object || page ? "there was memory" : "no memory");
	kfree(object);
	if (page)
		__free_page(page);
}

static struct bug_race {
	unsigned int		counter;
	struct completion	done[2];
} bug_race_data;

static int bug_racer(void *done)
{
	unsigned int i;

	for (i = 0; i < 200000; i++) {
		bug_race_data.counter++;
		barrier();
		if (!(i % 1000))
			cond_resched();
	}
	complete(done);

	return 0;
}

/* Two processors write to one word. */
static void bug_race(void)
{
	struct task_struct *racer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bug_race_data.done); i++) {
		init_completion(&bug_race_data.done[i]);
		racer = kthread_run(bug_racer, &bug_race_data.done[i], "bug_racer");
		if (IS_ERR(racer))
			complete(&bug_race_data.done[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bug_race_data.done); i++)
		wait_for_completion(&bug_race_data.done[i]);
	pr_info("xgd_bug: %u\n", bug_race_data.counter);
}

static const struct {
	const char	*name;
	void		(*fn)(void);
} bugs[] = {
	{ "dma-leak",		bug_dma_leak },
	{ "dma-size",		bug_dma_size },
	{ "atomic-sleep",	bug_atomic_sleep },
	{ "use-after-free",	bug_use_after_free },
	{ "out-of-bounds",	bug_out_of_bounds },
	{ "page-after-free",	bug_page_after_free },
	{ "lock-order",		bug_lock_order },
	{ "leak",		bug_leak },
	{ "array",		bug_array },
	{ "shift",		bug_shift },
	{ "preemption",		bug_preemption },
	{ "timer",		bug_timer },
	{ "no-memory",		bug_no_memory },
	{ "race",		bug_race },
};

static int __init bug_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!strcmp(bug, bugs[i].name)) {
			bugs[i].fn();
			return 0;
		}
	}

	return -EINVAL;
}

static void __exit bug_exit(void)
{
}

module_init(bug_init);
module_exit(bug_exit);

MODULE_DESCRIPTION("Test: bugs for the debug kernel to find");
MODULE_LICENSE("GPL");
