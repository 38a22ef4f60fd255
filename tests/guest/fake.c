// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio device that no backend serves, with a driver that tries the DMA API
 * on it, and reports in TAP through the kernel log ("xgd_fake: ok 1 - ...").
 *
 * A parameter says what the driver does when it is bound: "check" goes through
 * the whole DMA API; "hold" maps a buffer and tells its reference, so that
 * another domain can be asked what it sees; "leave" does the same and forgets
 * to unmap; "give-up" fails with a ring that the kernel is to free; "hoard" takes all
 * references there are; "pieces" maps the buffers of pieces.c, which are looked at and
 * unmapped when something is written to the parameter step; "micro" measures what all
 * this costs; "churn" maps and unmaps at random.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/vmalloc.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <xen_grant_dma.h>

#include "compat/dma-map-ops.h"
#include "churn.h"
#include "micro.h"
#include "pieces.h"
#include "scale.h"

#define FAKE_ID		0x7e57
#define HOLD_PAGES	16
#define HOLD_SIZE	(HOLD_PAGES * XEN_PAGE_SIZE)

static char *mode = "check";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "check, hold, leave, give-up, hoard, pieces, micro, scale or churn (default: check)");

static uint also;
module_param(also, uint, 0444);
MODULE_PARM_DESC(also, "virtio ID of real devices that the driver takes, too");

static bool access_platform = true;
module_param(access_platform, bool, 0444);
MODULE_PARM_DESC(access_platform, "offer VIRTIO_F_ACCESS_PLATFORM (default: Y)");

static bool version_1 = true;
module_param(version_1, bool, 0444);
MODULE_PARM_DESC(version_1, "offer VIRTIO_F_VERSION_1 (default: Y)");

static int readonly;
module_param(readonly, int, 0444);
MODULE_PARM_DESC(readonly, "map what is held read-only (default: 0)");

static char *memory = "user";
module_param(memory, charp, 0444);
MODULE_PARM_DESC(memory, "what is held: user, as of a program or of the page cache; kernel; foreign, as if another domain's; pages of dma_alloc_pages() (default: user)");

static bool skip_sync;
module_param(skip_sync, bool, 0444);
MODULE_PARM_DESC(skip_sync, "map it without a sync (default: N)");

static uint fail;
module_param(fail, uint, 0644);
MODULE_PARM_DESC(fail, "the n-th request for memory fails that setting up the device makes; how many more there would have to be is here afterwards (default: 0, none)");

static bool twin;
module_param(twin, bool, 0444);
MODULE_PARM_DESC(twin, "have a second virtio device with the same parent (default: N)");

static struct platform_device *fake_pdev;
static struct virtio_device *fake_vdev, *fake_twin;
static u8 fake_status;

static char *held;
static dma_addr_t held_addr;

static int step_set(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "sync"))
		pieces_sync(&fake_pdev->dev);
	else if (sysfs_streq(val, "unmap"))
		pieces_unmap(&fake_pdev->dev);
	else if (sysfs_streq(val, "again"))
		return pieces_again(&fake_pdev->dev);
	else
		return -EINVAL;

	return 0;
}

static const struct kernel_param_ops step_ops = { .set = step_set };
module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "with mode=pieces: sync, then unmap, then again");

static unsigned int tests;

static void ok(bool good, const char *name)
{
	pr_info("%s %u - %s\n", good ? "ok" : "not ok", ++tests, name);
}

static bool is_grant(struct device *dev, dma_addr_t addr)
{
	return !dma_mapping_error(dev, addr) && xen_grant_dma_is_grant(addr);
}

static void check_coherent(struct device *dev)
{
	static const size_t sizes[] = { 1, 64, 4096, 5000, 65536 };
	bool granted = true, zeroed = true;
	dma_addr_t addr;
	unsigned int i;
	char *mem;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* Twice: the second time there may be something left to see. */
		mem = dma_alloc_coherent(dev, sizes[i], &addr, GFP_KERNEL);
		if (!mem) {
			granted = false;
			continue;
		}
		memset(mem, 0xaa, sizes[i]);
		dma_free_coherent(dev, sizes[i], mem, addr);

		mem = dma_alloc_attrs(dev, sizes[i], &addr, GFP_ATOMIC, 0);
		granted &= mem && is_grant(dev, addr) && !xen_grant_dma_offset(addr);
		if (!mem)
			continue;
		zeroed &= !memchr_inv(mem, 0, ALIGN(sizes[i], XEN_PAGE_SIZE));
		dma_free_attrs(dev, sizes[i], mem, addr, 0);
	}
	ok(granted, "coherent memory of any size is granted");
	ok(zeroed, "coherent memory is zeroed to the end of its last page");
}

static void check_pages(struct device *dev)
{
	struct sg_table *sgt;
	struct page *page;
	dma_addr_t addr;

	page = dma_alloc_pages(dev, 3 * PAGE_SIZE, &addr, DMA_FROM_DEVICE, GFP_KERNEL);
	ok(page && is_grant(dev, addr), "dma_alloc_pages");
	if (page)
		dma_free_pages(dev, 3 * PAGE_SIZE, page, addr, DMA_FROM_DEVICE);

	sgt = dma_alloc_noncontiguous(dev, 2 * PAGE_SIZE, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	ok(sgt && is_grant(dev, sg_dma_address(sgt->sgl)), "dma_alloc_noncontiguous");
	if (sgt)
		dma_free_noncontiguous(dev, 2 * PAGE_SIZE, sgt, DMA_BIDIRECTIONAL);
}

struct fake_area {
	struct device *dev;
	void *mem;
	dma_addr_t addr;
};

static int fake_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct fake_area *area = file->private_data;

	return dma_mmap_coherent(area->dev, vma, area->mem, area->addr, 2 * PAGE_SIZE);
}

static const struct file_operations fake_fops = {
	.owner = THIS_MODULE,
	.mmap = fake_mmap,
};

/* Into the address space of the process that loads this module. */
static void check_mmap(struct device *dev)
{
	struct fake_area area = { .dev = dev };
	unsigned long user;
	struct sg_table sgt;
	struct file *file;
	u32 seen = 0;

	area.mem = dma_alloc_coherent(dev, 2 * PAGE_SIZE, &area.addr, GFP_KERNEL);
	if (!area.mem) {
		ok(false, "mmap: no memory");
		return;
	}
	*(u32 *)(area.mem + PAGE_SIZE) = 0x600df00d;

	file = anon_inode_getfile("xgd_fake", &fake_fops, &area, O_RDWR);
	if (!IS_ERR(file)) {
		user = vm_mmap(file, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
		if (!IS_ERR_VALUE(user)) {
			if (get_user(seen, (u32 __user *)(user + PAGE_SIZE)))
				seen = 0;
			vm_munmap(user, 2 * PAGE_SIZE);
		}
		fput(file);
	}
	ok(seen == 0x600df00d, "coherent memory can be mapped into a process");

	if (!dma_get_sgtable(dev, &sgt, area.mem, area.addr, 2 * PAGE_SIZE)) {
		ok(sg_virt(sgt.sgl) == area.mem && sgt.sgl->length == 2 * PAGE_SIZE,
		   "dma_get_sgtable");
		sg_free_table(&sgt);
	} else {
		ok(false, "dma_get_sgtable");
	}

	dma_free_coherent(dev, 2 * PAGE_SIZE, area.mem, area.addr);
}

static void check_streaming(struct device *dev)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL
	};
	char *mem = (char *)__get_free_pages(GFP_KERNEL, get_order(65536 + PAGE_SIZE));
	bool good = true, kept = true;
	unsigned long flags;
	unsigned int i;
	dma_addr_t addr;
	size_t size;

	if (!mem) {
		ok(false, "streaming: no memory");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		for (size = 1; size <= 65536; size = size * 3 + 1) {
			memset(mem, i + 1, 65536);
			addr = dma_map_single(dev, mem + size % 4099, size, dirs[i]);
			good &= is_grant(dev, addr);
			if (addr == DMA_MAPPING_ERROR)
				continue;
			dma_sync_single_for_cpu(dev, addr + size / 2, size - size / 2, dirs[i]);
			dma_sync_single_for_device(dev, addr + size / 2, size - size / 2, dirs[i]);
			dma_unmap_single(dev, addr, size, dirs[i]);
			kept &= !memchr_inv(mem, i + 1, 65536);
		}
	}
	ok(good, "buffers of any size, offset and direction are granted");
	ok(kept, "data stays as it was through map, sync and unmap");

	local_irq_save(flags);
	addr = dma_map_single(dev, mem, 65536, DMA_FROM_DEVICE);
	good = is_grant(dev, addr);
	if (good)
		dma_unmap_single(dev, addr, 65536, DMA_FROM_DEVICE);
	local_irq_restore(flags);
	ok(good, "mapping with interrupts off");

	free_pages((unsigned long)mem, get_order(65536 + PAGE_SIZE));
}

static void check_limits(struct device *dev)
{
	size_t max = dma_max_mapping_size(dev);
	dma_addr_t addr;
	struct page *page;
	unsigned int order = get_order(max + 3 * XEN_PAGE_SIZE);

	ok(max >= 65536 && max != SIZE_MAX, "there is a largest mapping");
	ok(dma_opt_mapping_size(dev) >= 65536 && dma_opt_mapping_size(dev) <= max,
	   "there is a best mapping");
	ok(dma_set_mask(dev, DMA_BIT_MASK(32)) && !dma_set_mask(dev, DMA_BIT_MASK(64)),
	   "the DMA mask must have 64 bits");

	page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
	if (!page) {
		ok(false, "limits: no memory");
		return;
	}
	addr = dma_map_page(dev, page, XEN_PAGE_SIZE - 1, max, DMA_TO_DEVICE);
	ok(is_grant(dev, addr), "the largest mapping may begin at the end of a page");
	if (addr != DMA_MAPPING_ERROR)
		dma_unmap_page(dev, addr, max, DMA_TO_DEVICE);
	addr = dma_map_page(dev, page, XEN_PAGE_SIZE - 1, max + XEN_PAGE_SIZE, DMA_TO_DEVICE);
	ok(addr == DMA_MAPPING_ERROR, "a larger one is refused");
	__free_pages(page, order);
}

static dma_addr_t map_by_ops(struct device *dev, struct page *page,
			     enum dma_data_direction dir)
{
#ifdef XGD_HAVE_MAP_PHYS
	return dev->dma_ops->map_phys(dev, page_to_phys(page), 16, dir, 0);
#else
	return dev->dma_ops->map_page(dev, page, 0, 16, dir, 0);
#endif
}

static void check_refusals(struct device *dev)
{
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t addr;

	if (!page) {
		ok(false, "refusals: no memory");
		return;
	}
	/* The checks of the DMA API note it down even so; twice the same is no mistake then. */
	ok(dma_map_resource(dev, 0xc0000000, 4096, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR,
	   "device memory is refused");
	/* The DMA core stops this before; the ops must not rely on it. */
	ok(map_by_ops(dev, page, DMA_NONE) == DMA_MAPPING_ERROR, "DMA_NONE is refused");

	/* Unmapping what was never mapped must hurt nobody, but a debug kernel minds. */
	if (!IS_ENABLED(CONFIG_DMA_API_DEBUG)) {
		dma_unmap_single(dev, page_to_phys(page), 4096, DMA_TO_DEVICE);
		dma_unmap_single(dev, xen_grant_dma_addr(1, 0), 4096, DMA_TO_DEVICE);
		dma_unmap_single(dev, xen_grant_dma_addr(0xfffffff0, 0), 65536, DMA_TO_DEVICE);
	}
	addr = dma_map_page(dev, page, 0, 4096, DMA_TO_DEVICE);
	ok(is_grant(dev, addr), "unmapping plain and foreign addresses does no harm");
	if (addr != DMA_MAPPING_ERROR)
		dma_unmap_page(dev, addr, 4096, DMA_TO_DEVICE);
	__free_page(page);
}

/*
 * AF_XDP maps the pages of a pool one by one, without a sync, and takes those whose
 * addresses follow each other for one buffer.
 */
static void check_neighbours(struct device *dev)
{
	char *mem = (char *)__get_free_pages(GFP_KERNEL, 3);
	unsigned int i, found = 0, half = PAGE_SIZE / 2;
	dma_addr_t addr[8] = {};
	bool good = true;

	if (!mem) {
		ok(false, "neighbours: no memory");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		addr[i] = dma_map_page_attrs(dev, virt_to_page(mem), i * PAGE_SIZE, PAGE_SIZE,
					     DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
		good &= is_grant(dev, addr[i]);
	}
	for (i = 0; good && i + 1 < ARRAY_SIZE(addr); i++) {
		char *middle = mem + i * PAGE_SIZE + half;

		if (addr[i + 1] != addr[i] + PAGE_SIZE)
			continue;
		found++;
		memset(middle, 'n', PAGE_SIZE);
		dma_sync_single_for_device(dev, addr[i] + half, PAGE_SIZE, DMA_BIDIRECTIONAL);
		memset(middle, 0, PAGE_SIZE);
		dma_sync_single_for_cpu(dev, addr[i] + half, PAGE_SIZE, DMA_BIDIRECTIONAL);
		good &= !memchr_inv(middle, 'n', PAGE_SIZE);
	}
	ok(found && good, "a sync from one mapping into the next does both");
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		if (addr[i] && addr[i] != DMA_MAPPING_ERROR)
			dma_unmap_page_attrs(dev, addr[i], PAGE_SIZE, DMA_BIDIRECTIONAL,
					     DMA_ATTR_SKIP_CPU_SYNC);
	free_pages((unsigned long)mem, 3);
}

static void check_sg(struct device *dev)
{
	struct scatterlist sg[3];
	unsigned long mem = __get_free_pages(GFP_KERNEL | __GFP_COMP, 2);
	bool good;

	if (!mem) {
		ok(false, "scatterlist: no memory");
		return;
	}
	sg_init_table(sg, 3);
	sg_set_buf(&sg[0], (void *)mem + 100, 200);
	sg_set_buf(&sg[1], (void *)mem + 4096, 8192);
	sg_set_buf(&sg[2], (void *)mem + 12288 + 4000, 96);
	good = dma_map_sg(dev, sg, 3, DMA_BIDIRECTIONAL) == 3;
	ok(good && is_grant(dev, sg_dma_address(&sg[0])) &&
	   is_grant(dev, sg_dma_address(&sg[2])) && sg_dma_len(&sg[1]) == 8192 &&
	   sg_dma_len(&sg[2]) == 96, "scatterlist");
	if (good) {
		dma_sync_sg_for_cpu(dev, sg, 3, DMA_BIDIRECTIONAL);
		dma_sync_sg_for_device(dev, sg, 3, DMA_BIDIRECTIONAL);
		dma_unmap_sg(dev, sg, 3, DMA_BIDIRECTIONAL);
	}

	/* Far too long: what was mapped before it must not stay. */
	sg[1].length = dma_max_mapping_size(dev) + 65536;
	ok(!dma_map_sg(dev, sg, 3, DMA_BIDIRECTIONAL), "a scatterlist with a bad entry fails");
	free_pages(mem, 2);
}

#define MANY	40000

static dma_addr_t *hoarded;
static unsigned int hoarded_count;
static struct page *hoarded_page;

static int hoard(struct device *dev)
{
	dma_addr_t addr;

	hoarded_count = 0;
	hoarded = vmalloc(array_size(MANY, sizeof(*hoarded)));
	hoarded_page = alloc_page(GFP_KERNEL);
	if (!hoarded || !hoarded_page)
		return -ENOMEM;

	while (hoarded_count < MANY) {
		addr = dma_map_page(dev, hoarded_page, 0, 4096, DMA_TO_DEVICE);
		if (dma_mapping_error(dev, addr))
			break;
		hoarded[hoarded_count++] = addr;
	}
	pr_info("# after %u mappings\n", hoarded_count);

	return 0;
}

static void hoard_unmap(struct device *dev)
{
	while (hoarded_count)
		dma_unmap_page(dev, hoarded[--hoarded_count], 4096, DMA_TO_DEVICE);
}

static void hoard_end(struct device *dev)
{
	hoard_unmap(dev);
	if (hoarded_page)
		__free_page(hoarded_page);
	vfree(hoarded);
	hoarded_page = NULL;
	hoarded = NULL;
}

static void check_exhaustion(struct device *dev)
{
	dma_addr_t addr;

	if (hoard(dev)) {
		ok(false, "exhaustion: no memory");
		goto out;
	}
	ok(hoarded_count > 1000 && hoarded_count < MANY,
	   "mapping fails when no references are left");
	ok(!dma_alloc_coherent(dev, 4096, &addr, GFP_KERNEL), "so does coherent memory");
	hoard_unmap(dev);
	addr = dma_map_page(dev, hoarded_page, 0, 4096, DMA_TO_DEVICE);
	ok(is_grant(dev, addr), "and works again when they are back");
	if (addr != DMA_MAPPING_ERROR)
		dma_unmap_page(dev, addr, 4096, DMA_TO_DEVICE);
out:
	hoard_end(dev);
}

/* What is contiguous to a PV guest need not be so to Xen. */
static bool is_scattered(void *mem)
{
	unsigned long pfn = virt_to_pfn(mem);
	unsigned int i;

	for (i = 1; i < HOLD_PAGES; i++)
		if (pfn_to_gfn(pfn + i) != pfn_to_gfn(pfn) + i)
			return true;

	return false;
}

/* A buffer; one that is scattered, if there is any among so many. */
static char *hold_alloc(void)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY;
	unsigned int tries = xen_pv_domain() ? 500 : 1;
	void *mem, *others = NULL;

	for (;;) {
		mem = (void *)__get_free_pages(gfp, get_order(HOLD_SIZE));
		if (!mem || !--tries || is_scattered(mem))
			break;
		*(void **)mem = others;
		others = mem;
	}
	while (others) {
		void *next = *(void **)others;

		free_pages((unsigned long)others, get_order(HOLD_SIZE));
		others = next;
	}

	return mem;
}

/* Pages of their own, which are said to be of a kind. */
static void hold_mark(char *mem, bool on)
{
	unsigned int i;

	if (on)
		split_page(virt_to_page(mem), get_order(HOLD_SIZE));
	for (i = 0; i < 1 << get_order(HOLD_SIZE); i++) {
		struct page *page = virt_to_page(mem) + i;

		if (!strcmp(memory, "user"))
			page->mapping = on ? &pieces_mapping : NULL;
		if (!strcmp(memory, "foreign"))
			on ? SetPageForeign(page) : ClearPageForeign(page);
		if (!on)
			__free_page(page);
	}
}

static bool hold_is_allocated(void)
{
	return !strcmp(memory, "pages");
}

static enum dma_data_direction hold_dir(void)
{
	return readonly ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

static int hold_map(struct device *dev)
{
	struct page *page;

	if (hold_is_allocated()) {
		page = dma_alloc_pages(dev, HOLD_SIZE, &held_addr, hold_dir(), GFP_KERNEL);
		held = page ? page_address(page) : NULL;
		return held ? 0 : -ENOMEM;
	}

	held = hold_alloc();
	if (!held)
		return -ENOMEM;
	hold_mark(held, true);
	return 0;
}

static void hold_say(const char *what)
{
	unsigned int i;

	for (i = 0; i < HOLD_PAGES; i++)
		snprintf(held + i * XEN_PAGE_SIZE, 16, "%s page %u", what, i);
}

static int hold(struct device *dev)
{
	int ret = hold_map(dev);

	if (ret)
		return ret;
	hold_say("xgd");
	if (!hold_is_allocated())
		held_addr = dma_map_single_attrs(dev, held, HOLD_SIZE, hold_dir(),
						 skip_sync ? DMA_ATTR_SKIP_CPU_SYNC : 0);
	if (dma_mapping_error(dev, held_addr)) {
		hold_mark(held, false);
		held = NULL;
		return -EIO;
	}
	/* A copy was made before. */
	hold_say("XGD");
	if (is_grant(dev, held_addr))
		pr_info("holds references %llu to %llu\n", xen_grant_dma_ref(held_addr),
			xen_grant_dma_ref(held_addr) + HOLD_PAGES - 1);
	else
		pr_info("holds plain address %#llx\n", (u64)held_addr);

	return 0;
}

/* A driver that leaves it to the kernel to free a ring, and then cannot go on. */
struct ring {
	struct device *dev;
	void *mem;
	dma_addr_t addr;
};

static void ring_free(void *data)
{
	struct ring *ring = data;

	dma_free_coherent(ring->dev, PAGE_SIZE, ring->mem, ring->addr);
	pr_info("freed %s\n", is_grant(ring->dev, ring->addr) ? "a grant" : "a plain address");
}

static int give_up(struct virtio_device *vdev)
{
	struct ring *ring = devm_kzalloc(&vdev->dev, sizeof(*ring), GFP_KERNEL);

	if (!ring)
		return -ENOMEM;
	ring->dev = vdev->dev.parent;
	ring->mem = dma_alloc_coherent(ring->dev, PAGE_SIZE, &ring->addr, GFP_KERNEL);
	if (!ring->mem)
		return -ENOMEM;

	return devm_add_action_or_reset(&vdev->dev, ring_free, ring) ?: -EIO;
}

static void hold_end(struct device *dev)
{
	if (hold_is_allocated()) {
		dma_free_pages(dev, HOLD_SIZE, virt_to_page(held), held_addr, hold_dir());
		return;
	}
	dma_unmap_single_attrs(dev, held_addr, HOLD_SIZE, hold_dir(),
			       skip_sync ? DMA_ATTR_SKIP_CPU_SYNC : 0);
	hold_mark(held, false);
}

static int fake_probe(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;

	if (!strcmp(mode, "give-up"))
		return give_up(vdev);
	if (!strcmp(mode, "pieces"))
		return pieces_map(dev);
	if (!strcmp(mode, "hoard"))
		return hoard(dev);
	if (!strcmp(mode, "churn"))
		return churn_run(dev);
	if (!strcmp(mode, "micro"))
		return micro_measure(dev);
	if (!strcmp(mode, "scale"))
		return scale_measure(dev);
	if (strcmp(mode, "check"))
		return hold(dev);

	tests = 0;
	check_coherent(dev);
	check_pages(dev);
	check_mmap(dev);
	check_streaming(dev);
	check_limits(dev);
	check_refusals(dev);
	check_sg(dev);
	check_neighbours(dev);
	check_exhaustion(dev);
	pr_info("1..%u\n", tests);

	return 0;
}

static void fake_remove(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	if (!strcmp(mode, "pieces")) {
		pieces_unmap(vdev->dev.parent);
		pieces_free();
	}
	if (!strcmp(mode, "hoard"))
		hoard_end(vdev->dev.parent);
	if (!held)
		return;
	/* The memory, too: the checks of the DMA API would blame whoever has it next. */
	if (strcmp(mode, "leave"))
		hold_end(vdev->dev.parent);
	held = NULL;
}

static struct virtio_device_id fake_ids[] = {
	{ FAKE_ID, VIRTIO_DEV_ANY_ID },
	{ 0, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct virtio_driver fake_driver = {
	.driver.name = "xgd_fake",
	.id_table = fake_ids,
	.probe = fake_probe,
	.remove = fake_remove,
};

static u64 fake_get_features(struct virtio_device *vdev)
{
	return (version_1 ? BIT_ULL(VIRTIO_F_VERSION_1) : 0) |
	       (access_platform ? BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) : 0);
}

#ifdef CONFIG_FAULT_INJECTION
static bool set_up;

/* Between these two virtio asks whether there are grants to be used. */
static void set_up_begin(void)
{
	current->fail_nth = fail;
	set_up = true;
}

static void set_up_end(void)
{
	if (!set_up)
		return;
	set_up = false;
	fail = current->fail_nth;
	current->fail_nth = 0;
}
#else
static void set_up_begin(void) { }
static void set_up_end(void) { }
#endif

static int fake_finalize_features(struct virtio_device *vdev)
{
	set_up_begin();

	return 0;
}

static u8 fake_get_status(struct virtio_device *vdev)
{
	set_up_end();

	return fake_status;
}

static void fake_set_status(struct virtio_device *vdev, u8 status)
{
	fake_status = status;
}

static void fake_reset(struct virtio_device *vdev)
{
	fake_status = 0;
}

static const struct virtio_config_ops fake_config = {
	.get_features = fake_get_features,
	.finalize_features = fake_finalize_features,
	.get_status = fake_get_status,
	.set_status = fake_set_status,
	.reset = fake_reset,
};

static void fake_release(struct device *dev)
{
	kfree(dev_to_virtio(dev));
}

/* The transport, which has what all have to be frozen and thawed. */
static int fake_freeze(struct device *dev)
{
	return virtio_device_freeze(fake_vdev);
}

static int fake_thaw(struct device *dev)
{
	return virtio_device_restore(fake_vdev);
}

static const struct dev_pm_ops fake_pm_ops = {
	SET_SYSTEM_SLEEP_PM_OPS(fake_freeze, fake_thaw)
};

static char *transport = "virtio-xgd-fake";
module_param(transport, charp, 0444);
MODULE_PARM_DESC(transport, "name of the parent's driver (default: virtio-xgd-fake)");

static const struct platform_device_id fake_transport_ids[] = {
	{ "xgd-fake" },
	{ }
};

static struct platform_driver fake_transport = {
	.id_table = fake_transport_ids,
	.driver.pm = &fake_pm_ops,
};

static struct virtio_device *fake_register(void)
{
	struct virtio_device *vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	int ret;

	if (!vdev)
		return ERR_PTR(-ENOMEM);
	vdev->id.device = FAKE_ID;
	vdev->config = &fake_config;
	vdev->dev.parent = &fake_pdev->dev;
	vdev->dev.release = fake_release;
	ret = register_virtio_device(vdev);
	if (ret) {
		put_device(&vdev->dev);
		return ERR_PTR(ret);
	}

	return vdev;
}

static int __init fake_init(void)
{
	int ret;

	fake_transport.driver.name = transport;
	ret = platform_driver_register(&fake_transport);
	if (ret)
		return ret;

	fake_pdev = platform_device_register_simple("xgd-fake", PLATFORM_DEVID_NONE, NULL, 0);
	ret = PTR_ERR_OR_ZERO(fake_pdev);
	if (ret)
		goto err_transport;
	ret = dma_coerce_mask_and_coherent(&fake_pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_pdev;

	fake_ids[1].device = also;
	ret = register_virtio_driver(&fake_driver);
	if (ret)
		goto err_pdev;

	fake_vdev = fake_register();
	ret = PTR_ERR_OR_ZERO(fake_vdev);
	if (ret)
		goto err_driver;
	fake_twin = twin ? fake_register() : NULL;
	ret = PTR_ERR_OR_ZERO(fake_twin);
	if (ret)
		goto err_vdev;

	return 0;

err_vdev:
	unregister_virtio_device(fake_vdev);
err_driver:
	unregister_virtio_driver(&fake_driver);
err_pdev:
	platform_device_unregister(fake_pdev);
err_transport:
	platform_driver_unregister(&fake_transport);
	return ret;
}

static void __exit fake_exit(void)
{
	if (fake_twin)
		unregister_virtio_device(fake_twin);
	unregister_virtio_device(fake_vdev);
	unregister_virtio_driver(&fake_driver);
	platform_device_unregister(fake_pdev);
	platform_driver_unregister(&fake_transport);
}

module_init(fake_init);
module_exit(fake_exit);

MODULE_DESCRIPTION("Test: a virtio device without a backend");
MODULE_LICENSE("GPL");
