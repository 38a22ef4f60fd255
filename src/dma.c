// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dma_map_ops table: memory of the guest becomes reachable for the backend
 * of one device by grants, and stops being so when the mapping ends.
 *
 * Every Xen page that a buffer touches is granted in place, so memory is
 * shared, not copied, and a change of ownership (sync) needs no work: Xen
 * backends map guest memory cacheable, on every architecture.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "dma.h"
#include "refs.h"
#include "revoke.h"
#include "trace.h"

static void xgd_count_max(atomic64_t *now, atomic64_t *max, s64 by)
{
	s64 value = atomic64_add_return(by, now);
	s64 old = atomic64_read(max);

	while (value > old && !atomic64_try_cmpxchg(max, &old, value))
		;
}

/* Grant all Xen pages of a piece of memory. */
static dma_addr_t xgd_grant(struct xgd_device *xd, phys_addr_t phys, size_t size,
			    bool readonly)
{
	unsigned int i, offset = xen_offset_in_page(phys), count = XEN_PFN_UP(offset + size);
	grant_ref_t first;

	if (xgd_refs_alloc(count, &first)) {
		atomic64_inc(&xd->stats.failed);
		dev_warn_ratelimited(xd->dev,
				     "no %u consecutive grant references for domain %u; raise gnttab_max_frames of Xen if this goes on\n",
				     count, xd->domid);
		return DMA_MAPPING_ERROR;
	}

	for (i = 0; i < count; i++)
		xgd_refs_grant(first + i, xd->id, xd->domid, phys + i * XEN_PAGE_SIZE,
			       readonly);

	xgd_count_max(&xd->stats.mappings, &xd->stats.mappings_max, 1);
	xgd_count_max(&xd->stats.refs, &xd->stats.refs_max, count);
	atomic64_inc(&xd->stats.mapped);
	atomic64_add(size, &xd->stats.bytes);

	return xen_grant_dma_addr(first, offset);
}

/* Is this an address that this device was given and has not given back? */
static bool xgd_is_mapped(struct xgd_device *xd, dma_addr_t addr, size_t size)
{
	u64 ref = xen_grant_dma_ref(addr);
	struct xgd_ref *first, *last;

	if (!xen_grant_dma_is_grant(addr))
		goto refuse;

	first = xgd_refs_entry(ref);
	last = xgd_refs_entry(ref + xen_grant_dma_pages(addr, max_t(size_t, size, 1)) - 1);
	if (!first || first->owner != xd->id || first->late ||
	    !last || last->owner != xd->id || last->late)
		goto refuse;

	return true;

refuse:
	atomic64_inc(&xd->stats.refused);
	dev_warn_ratelimited(xd->dev, "%#llx, %zu bytes, is not mapped for domain %u: left alone\n",
			     (u64)addr, size, xd->domid);
	return false;
}

static void xgd_ungrant(struct xgd_device *xd, dma_addr_t addr, size_t size)
{
	xgd_revoke(xd, xen_grant_dma_ref(addr), xen_grant_dma_pages(addr, size));
	atomic64_dec(&xd->stats.mappings);
}

static struct xgd_device *to_xgd(struct device *dev)
{
	return container_of(dev->dma_ops, struct xgd_device, ops);
}

static void *xgd_alloc(struct device *dev, size_t size, dma_addr_t *dma_handle,
		       gfp_t gfp, unsigned long attrs)
{
	struct xgd_device *xd = to_xgd(dev);
	void *vaddr;

	/* Zeroed always: what lay there before is not for the backend. */
	vaddr = alloc_pages_exact(XEN_PFN_UP(size) * XEN_PAGE_SIZE, gfp | __GFP_ZERO);
	if (!vaddr) {
		atomic64_inc(&xd->stats.failed);
		return NULL;
	}

	*dma_handle = xgd_grant(xd, virt_to_phys(vaddr), size, false);
	if (*dma_handle == DMA_MAPPING_ERROR) {
		free_pages_exact(vaddr, XEN_PFN_UP(size) * XEN_PAGE_SIZE);
		return NULL;
	}
	trace_xgd_alloc(xd, *dma_handle, size, false);

	return vaddr;
}

static void xgd_free(struct device *dev, size_t size, void *vaddr,
		     dma_addr_t dma_handle, unsigned long attrs)
{
	struct xgd_device *xd = to_xgd(dev);

	if (!xgd_is_mapped(xd, dma_handle, size))
		return;

	trace_xgd_free(xd, dma_handle, size, false);
	xgd_ungrant(xd, dma_handle, size);
	/* Pages that the backend still maps are pinned: they outlive this. */
	free_pages_exact(vaddr, XEN_PFN_UP(size) * XEN_PAGE_SIZE);
}

static struct page *xgd_alloc_pages(struct device *dev, size_t size,
				    dma_addr_t *dma_handle,
				    enum dma_data_direction dir, gfp_t gfp)
{
	void *vaddr = xgd_alloc(dev, size, dma_handle, gfp, 0);

	return vaddr ? virt_to_page(vaddr) : NULL;
}

static void xgd_free_pages(struct device *dev, size_t size, struct page *page,
			   dma_addr_t dma_handle, enum dma_data_direction dir)
{
	xgd_free(dev, size, page_to_virt(page), dma_handle, 0);
}

static int xgd_mmap(struct device *dev, struct vm_area_struct *vma, void *cpu_addr,
		    dma_addr_t dma_addr, size_t size, unsigned long attrs)
{
	return dma_mmap_pages(dev, vma, size, virt_to_page(cpu_addr));
}

static int xgd_get_sgtable(struct device *dev, struct sg_table *sgt, void *cpu_addr,
			   dma_addr_t dma_addr, size_t size, unsigned long attrs)
{
	int ret;

	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		return ret;

	sg_set_page(sgt->sgl, virt_to_page(cpu_addr), PAGE_ALIGN(size), 0);

	return 0;
}

/* Only memory that the kernel manages can be granted, and kept when it must. */
static bool xgd_can_grant(phys_addr_t phys, size_t size)
{
	unsigned long first = PHYS_PFN(phys), last = PHYS_PFN(phys + size - 1);

	/* Zone device pages are device memory, or stand for foreign pages. */
	return pfn_valid(first) && !is_zone_device_page(pfn_to_page(first)) &&
	       pfn_valid(last) && !is_zone_device_page(pfn_to_page(last));
}

static dma_addr_t xgd_map(struct device *dev, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct xgd_device *xd = to_xgd(dev);
	bool readonly = dir == DMA_TO_DEVICE;
	dma_addr_t addr;

	if (unlikely(dir == DMA_NONE || attrs & DMA_ATTR_MMIO ||
		     !size || size > xgd_refs_max_run() * XEN_PAGE_SIZE ||
		     XEN_PFN_UP(xen_offset_in_page(phys) + size) > xgd_refs_max_run() ||
		     !xgd_can_grant(phys, size))) {
		atomic64_inc(&xd->stats.refused);
		return DMA_MAPPING_ERROR;
	}

	addr = xgd_grant(xd, phys, size, readonly);
	if (addr != DMA_MAPPING_ERROR)
		trace_xgd_map(xd, addr, size, readonly);

	return addr;
}

XGD_DEFINE_MAP_OPS(xgd_map)

static void xgd_unmap(struct device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct xgd_device *xd = to_xgd(dev);

	if (!xgd_is_mapped(xd, addr, size))
		return;

	trace_xgd_unmap(xd, addr, size, dir == DMA_TO_DEVICE);
	xgd_ungrant(xd, addr, size);
}

static void xgd_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		xgd_unmap(dev, sg_dma_address(sg), sg_dma_len(sg), dir, attrs);
}

static int xgd_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		sg_dma_address(sg) = xgd_map(dev, sg_phys(sg), sg->length, dir, attrs);
		if (sg_dma_address(sg) == DMA_MAPPING_ERROR) {
			xgd_unmap_sg(dev, sgl, i, dir, attrs);
			return -EIO;
		}
		sg_dma_len(sg) = sg->length;
	}

	return nents;
}

static void xgd_sync(struct device *dev, dma_addr_t addr, size_t size,
		     enum dma_data_direction dir)
{
	/* Nothing to copy, but a wrong address is a bug worth knowing. */
	xgd_is_mapped(to_xgd(dev), addr, size);
}

static void xgd_sync_sg(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		xgd_sync(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

static int xgd_dma_supported(struct device *dev, u64 mask)
{
	/* Bit 63 tells grants from plain addresses. */
	return mask == DMA_BIT_MASK(64);
}

static u64 xgd_get_required_mask(struct device *dev)
{
	return DMA_BIT_MASK(64);
}

static size_t xgd_max_mapping_size(struct device *dev)
{
	/* One less: a buffer may begin in the middle of a page. */
	return (xgd_refs_max_run() - 1) * XEN_PAGE_SIZE;
}

static size_t xgd_opt_mapping_size(void)
{
	/* A backend pays per mapping more than per page: the larger the better. */
	return xgd_max_mapping_size(NULL);
}

/* The template of every device's own table. */
const struct dma_map_ops xgd_dma_ops = {
	.alloc			= xgd_alloc,
	.free			= xgd_free,
	.XGD_ALLOC_PAGES_OP	= xgd_alloc_pages,
	.free_pages		= xgd_free_pages,
	.mmap			= xgd_mmap,
	.get_sgtable		= xgd_get_sgtable,
	XGD_MAP_OPS(xgd_map, xgd_unmap),
	.map_sg			= xgd_map_sg,
	.unmap_sg		= xgd_unmap_sg,
	.sync_single_for_cpu	= xgd_sync,
	.sync_single_for_device	= xgd_sync,
	.sync_sg_for_cpu	= xgd_sync_sg,
	.sync_sg_for_device	= xgd_sync_sg,
	.dma_supported		= xgd_dma_supported,
	.get_required_mask	= xgd_get_required_mask,
	.max_mapping_size	= xgd_max_mapping_size,
	.opt_mapping_size	= xgd_opt_mapping_size,
};

/**
 * xgd_device_of - the state of a DMA device
 * @dev:	any device
 *
 * Context: any; the caller sees to it that the state stays.
 * Return: its state, or NULL if it is not served by grants of this module.
 */
struct xgd_device *xgd_device_of(struct device *dev)
{
	return dev->dma_ops && dev->dma_ops->alloc == xgd_alloc ? to_xgd(dev) : NULL;
}
