// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dma_map_ops table: memory of the guest becomes reachable for the backend
 * of one device by grants, and stops being so when the mapping ends.
 *
 * Whole Xen pages are granted in place: to be read all, to be written only what
 * holds nothing of the kernel's own. All else is copied through private pages, so
 * that the backend gets the bytes of the buffer and no others; a change of ownership
 * (sync) copies the part that it is about.
 * Memory in place needs no work then: Xen backends map guest memory cacheable, on
 * every architecture.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>
#include <xen/page.h>
#include <xen_grant_dma.h>

#include "bounce.h"
#include "dma.h"
#include "refs.h"
#include "revoke.h"
#include "room.h"
#include "trace.h"

/**
 * enum xgd_use - what is done with memory while it is mapped
 * @XGD_READ:	the backend reads it
 * @XGD_WRITE:	the backend writes it, and the guest looks at it afterwards
 * @XGD_SHARE:	the backend writes parts of it, and the guest uses other parts
 */
enum xgd_use {
	XGD_READ,
	XGD_WRITE,
	XGD_SHARE
};

/* Who leaves out the sync at map and unmap is to do it for each part. */
static __always_inline enum xgd_use xgd_use_of(enum dma_data_direction dir, unsigned long attrs)
{
	if (dir == DMA_TO_DEVICE)
		return XGD_READ;

	return attrs & DMA_ATTR_SKIP_CPU_SYNC ? XGD_SHARE : XGD_WRITE;
}

/*
 * May the backend have the Xen page of this address itself? Not if it can be
 * reused while the backend still has it: slab memory and the tail pages of a
 * high-order allocation have no reference count of their own to hold them by.
 * Zone device pages are device memory, or stand for foreign pages; where there is
 * no room for such others do (Arm), which say so.
 *
 * To be written it must be the page cache's, a program's, or swap: the kernel keeps
 * data of its own behind a buffer in its own memory (skb_shared_info), and a backend
 * that keeps the page could write to it later.
 */
static __always_inline bool xgd_can_be_granted(phys_addr_t phys, enum xgd_use use)
{
	struct page *page = pfn_to_page(PHYS_PFN(phys)), *head = compound_head(page);

	if (use == XGD_SHARE || is_zone_device_page(page) || PageSlab(head) || !page_count(head))
		return false;
	if (head->mapping)
		return true;

	/* The flag of foreign pages means something else where there is a mapping. */
	return use == XGD_READ ? !PageForeign(head) : folio_test_swapcache(page_folio(head));
}

/* Does it go to pages that are granted already, with nothing granted in place? */
static __always_inline bool xgd_is_copied(struct xgd_device *xd, phys_addr_t phys, size_t size,
					  enum xgd_use use)
{
	if (size <= READ_ONCE(xd->mode.copy_max))
		return true;

	return size == XEN_PAGE_SIZE && xd->mode.isolation == XGD_ISOLATION_BYTE &&
	       (xen_offset_in_page(phys) || !xgd_can_be_granted(phys, use));
}

/*
 * How many bytes from here on, whole Xen pages, can be granted in place. Memory of
 * one allocation is all alike.
 */
static size_t xgd_stretch(struct xgd_device *xd, phys_addr_t phys, phys_addr_t end,
			  enum xgd_use use)
{
	phys_addr_t next = phys;
	struct page *page;

	end &= ~(phys_addr_t)(XEN_PAGE_SIZE - 1);
	if (xen_offset_in_page(phys) || READ_ONCE(xd->mode.copy))
		return 0;

	while (next < end && xgd_can_be_granted(next, use)) {
		page = pfn_to_page(PHYS_PFN(next));
		next += PAGE_SIZE - offset_in_page(next);
		if (PageCompound(page))
			next = page_to_phys(compound_head(page)) + page_size(compound_head(page));
	}

	return min(next, end) - phys;
}

/*
 * Grant the Xen pages of a buffer, or private pages where it may not be granted.
 * Returns how many were done, which are all but when there is no memory.
 */
static noinline unsigned int xgd_grant_parts(struct xgd_device *xd, grant_ref_t first,
					     phys_addr_t begin, phys_addr_t end,
					     enum xgd_use use)
{
	struct xgd_private *private;
	bool readonly = use == XGD_READ;
	grant_ref_t ref = first;
	unsigned int count;
	bool copied = false;
	size_t part;

	for (; begin < end; begin += part, ref += count) {
		part = xgd_stretch(xd, begin, end, use);
		if (part) {
			count = part / XEN_PAGE_SIZE;
			xgd_refs_grant(xd, ref, count, begin, readonly);
			continue;
		}

		part = min_t(size_t, end - begin, XEN_PAGE_SIZE - xen_offset_in_page(begin));
		count = 1;
		private = xgd_bounce_get(xd, begin, part);
		if (!private)
			break;
		xgd_refs_grant_private(xd, ref, private, virt_to_phys(private->vaddr), readonly);
		copied = true;
	}
	if (copied)
		this_cpu_inc(xd->cpu->copied);

	return ref - first;
}

static noinline dma_addr_t xgd_grant_run(struct xgd_device *xd, phys_addr_t phys, size_t size,
					 unsigned int count, enum xgd_use use)
{
	unsigned int done;
	grant_ref_t first;

	if (xgd_refs_alloc(xd, count, true, &first))
		return DMA_MAPPING_ERROR;

	if (xd->mode.isolation == XGD_ISOLATION_PAGE) {
		xgd_refs_grant(xd, first, count, phys, use == XGD_READ);
	} else {
		done = xgd_grant_parts(xd, first, phys, phys + size, use);
		if (unlikely(done < count)) {
			xgd_revoke(xd, first, done, false);
			xgd_refs_free(xd, first + done, count - done);
			return DMA_MAPPING_ERROR;
		}
	}

	return xen_grant_dma_addr(first, xen_offset_in_page(phys));
}

static __always_inline dma_addr_t xgd_grant(struct xgd_device *xd, phys_addr_t phys, size_t size,
					    enum xgd_use use)
{
	unsigned int count = XEN_PFN_UP(xen_offset_in_page(phys) + size);
	grant_ref_t ref;

	if (count != 1)
		return xgd_grant_run(xd, phys, size, count, use);

	/* A single page that may not be granted is copied, see xgd_is_copied(). */
	if (xgd_refs_alloc(xd, 1, true, &ref))
		return DMA_MAPPING_ERROR;
	xgd_refs_grant(xd, ref, 1, phys, use == XGD_READ);

	return xen_grant_dma_addr(ref, xen_offset_in_page(phys));
}

static __always_inline dma_addr_t xgd_count_map(struct xgd_device *xd, dma_addr_t addr, size_t size)
{
	if (unlikely(addr == DMA_MAPPING_ERROR)) {
		atomic64_inc(&xd->stats.failed);
		return addr;
	}
	this_cpu_inc(xd->cpu->mapped);
	this_cpu_add(xd->cpu->bytes, size);

	return addr;
}

/* The entry of a reference of this device that is in force. */
static __always_inline struct xgd_ref *xgd_entry(const struct xgd_device *xd, u64 ref)
{
	struct xgd_ref *entry = xgd_refs_entry(ref);

	return likely(entry) && likely(entry->owner == xd->id) &&
	       likely(!(entry->flags & XGD_REF_LATE)) ? entry : NULL;
}

/*
 * The entry of an address, if this device was given it and has not given it back:
 * that of its first page.
 */
static __always_inline struct xgd_ref *xgd_lookup(const struct xgd_device *xd,
						  dma_addr_t addr, size_t size)
{
	u64 first = xen_grant_dma_ref(addr), pages = xen_grant_dma_pages(addr, size);

	if (unlikely(!xen_grant_dma_is_grant(addr) || !size) ||
	    unlikely(pages > 1 && !xgd_entry(xd, first + pages - 1)))
		return NULL;

	return xgd_entry(xd, first);
}

static noinline void xgd_not_mapped(struct xgd_device *xd, dma_addr_t addr, size_t size)
{
	atomic64_inc(&xd->stats.refused);
	dev_warn_ratelimited(xd->dev, "%#llx, %zu bytes, is not mapped for domain %u: left alone\n",
			     (u64)addr, size, xd->domid);
}

/* In private pages that stay granted. */
static bool xgd_is_lasting(const struct xgd_ref *entry)
{
	return entry->flags & XGD_REF_PRIVATE && entry->private->block;
}

/* Within one Xen page. */
static bool xgd_sync_page(struct xgd_device *xd, dma_addr_t addr, size_t size, bool to_device)
{
	struct xgd_ref *entry = xgd_lookup(xd, addr, size);

	if (!entry)
		return false;
	if (xgd_is_lasting(entry))
		return xgd_bounce_sync(entry->private, addr, size, to_device);
	if (entry->flags & XGD_REF_RING)
		return xgd_room_sync(entry->private, addr, size, to_device);

	if (entry->flags & XGD_REF_PRIVATE)
		xgd_bounce_sync_part(entry->private, xen_grant_dma_offset(addr), size, to_device);

	return true;
}

/*
 * Bring what was copied up to date on the other side. The address may be inside a
 * mapping, the range a part of it. Or it goes on in mappings whose addresses follow:
 * AF_XDP takes these for one.
 */
static void xgd_sync(struct xgd_device *xd, dma_addr_t addr, size_t size, bool copy,
		     bool to_device)
{
	struct xgd_ref *entry = xgd_lookup(xd, addr, size);
	bool mapped = entry;
	size_t part;

	if (mapped && !copy)
		return;
	if (mapped && xgd_is_lasting(entry) &&
	    xgd_bounce_sync(entry->private, addr, size, to_device))
		return;

	for (; mapped && size; addr += part, size -= part) {
		part = min_t(size_t, size, XEN_PAGE_SIZE - xen_grant_dma_offset(addr));
		mapped = xgd_sync_page(xd, addr, part, to_device);
	}
	if (unlikely(!mapped))
		xgd_not_mapped(xd, addr, size);
}

/*
 * A backend that keeps memory after its use could change what the guest has
 * checked already, or read what comes there next. No more chances for it.
 */
static void xgd_distrust(struct xgd_device *xd)
{
	if (xd->mode.isolation != XGD_ISOLATION_BYTE || READ_ONCE(xd->mode.copy))
		return;

	WRITE_ONCE(xd->mode.copy_max, XGD_COPY_MAX);
	WRITE_ONCE(xd->mode.copy, true);
	dev_warn(xd->dev,
		 "domain %u still maps a buffer after its use; until the driver is bound again all its data is copied\n",
		 xd->domid);
}

static struct xgd_device *to_xgd(struct device *dev)
{
	return container_of(dev->dma_ops, struct xgd_device, ops);
}

static void *xgd_alloc_granted(struct device *dev, size_t size, dma_addr_t *dma_handle,
			       gfp_t gfp, bool readonly)
{
	struct xgd_device *xd = to_xgd(dev);
	unsigned int count = XEN_PFN_UP(size);
	grant_ref_t first;
	void *vaddr;

	/* Zeroed always: what lay there before is not for the backend. */
	vaddr = alloc_pages_exact(count * XEN_PAGE_SIZE, gfp | __GFP_ZERO);
	if (!vaddr)
		goto failed;
	if (xgd_refs_alloc(xd, count, false, &first)) {
		free_pages_exact(vaddr, count * XEN_PAGE_SIZE);
		goto failed;
	}

	xgd_refs_grant(xd, first, count, virt_to_phys(vaddr), readonly);
	/* Who does not know what lasts is to find no ring, rather than wrong data. */
	*dma_handle = xgd_count_map(xd, xgd_lasting_addr(xd, first, 0), size);
	trace_xgd_alloc(xd, *dma_handle, size, readonly);

	return vaddr;

failed:
	atomic64_inc(&xd->stats.failed);
	return NULL;
}

static void *xgd_alloc(struct device *dev, size_t size, dma_addr_t *dma_handle,
		       gfp_t gfp, unsigned long attrs)
{
	struct xgd_device *xd = to_xgd(dev);
	void *vaddr;

	/* Nothing has failed: there will be a smaller one. */
	if (xgd_room_refuses(xd, size, gfp))
		return NULL;

	vaddr = xgd_alloc_granted(dev, size, dma_handle, gfp, false);
	if (vaddr)
		xgd_room_add(xd, vaddr, xen_grant_dma_ref(*dma_handle), size, gfp);

	return vaddr;
}

static void xgd_free(struct device *dev, size_t size, void *vaddr,
		     dma_addr_t dma_handle, unsigned long attrs)
{
	grant_ref_t first = xen_grant_dma_ref(dma_handle);
	struct xgd_device *xd = to_xgd(dev);
	unsigned int i;

	if (!xgd_lookup(xd, dma_handle, size)) {
		xgd_not_mapped(xd, dma_handle, size);
		return;
	}

	trace_xgd_free(xd, dma_handle, size, false);
	for (i = xen_grant_dma_pages(dma_handle, size); i--; )
		if (!xgd_room_keeps(xd, first + i))
			xgd_revoke(xd, first + i, 1, false);
	this_cpu_inc(xd->cpu->unmapped);
	/*
	 * Pages that the backend still maps are pinned, and those that have pieces in them
	 * are held: they outlive this.
	 */
	free_pages_exact(vaddr, XEN_PFN_UP(size) * XEN_PAGE_SIZE);
}

static struct page *xgd_alloc_pages(struct device *dev, size_t size,
				    dma_addr_t *dma_handle,
				    enum dma_data_direction dir, gfp_t gfp)
{
	void *vaddr = xgd_alloc_granted(dev, size, dma_handle, gfp, dir == DMA_TO_DEVICE);

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

static size_t xgd_max_mapping_size(struct device *dev)
{
	return to_xgd(dev)->max_mapping;
}

/*
 * Why a mapping can never be made, or 0. What a device of the machine has in its
 * window (P2PDMA) is not the guest's to grant.
 */
static __always_inline int xgd_map_error(struct xgd_device *xd, phys_addr_t phys, size_t size,
					 enum dma_data_direction dir, unsigned long attrs)
{
	if (unlikely(dir == DMA_NONE || attrs & DMA_ATTR_MMIO ||
		     !size || size > xd->max_mapping))
		return -EINVAL;
	if (unlikely(is_pci_p2pdma_page(pfn_to_page(PHYS_PFN(phys)))))
		return -EREMOTEIO;

	return 0;
}

static __always_inline dma_addr_t xgd_mapped(struct xgd_device *xd, dma_addr_t addr, size_t size,
					     bool readonly)
{
	xgd_count_map(xd, addr, size);
	if (addr != DMA_MAPPING_ERROR)
		trace_xgd_map(xd, addr, size, readonly);

	return addr;
}

/* Called last, so that who has no room does not pay for it. */
static noinline dma_addr_t xgd_map_piece(struct xgd_device *xd, phys_addr_t phys, size_t size,
					 bool readonly)
{
	dma_addr_t addr = DMA_MAPPING_ERROR;

	if (size <= XGD_ROOM_PIECE)
		addr = xgd_room_take(xd, phys, size, readonly);
	if (addr == DMA_MAPPING_ERROR)
		addr = xgd_bounce_map(xd, phys, size, readonly);
	if (addr != DMA_MAPPING_ERROR)
		this_cpu_inc(xd->cpu->copied);

	return xgd_mapped(xd, addr, size, readonly);
}

static dma_addr_t xgd_map(struct device *dev, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct xgd_device *xd = to_xgd(dev);
	enum xgd_use use = xgd_use_of(dir, attrs);
	bool readonly = use == XGD_READ;
	dma_addr_t addr;

	if (unlikely(xgd_map_error(xd, phys, size, dir, attrs))) {
		atomic64_inc(&xd->stats.refused);
		return DMA_MAPPING_ERROR;
	}

	if (xgd_is_copied(xd, phys, size, use)) {
		if (xgd_room_has(xd))
			return xgd_map_piece(xd, phys, size, readonly);
		addr = xgd_bounce_map(xd, phys, size, readonly);
		if (addr != DMA_MAPPING_ERROR)
			this_cpu_inc(xd->cpu->copied);
	} else {
		addr = xgd_grant(xd, phys, size, use);
	}

	return xgd_mapped(xd, addr, size, readonly);
}

XGD_DEFINE_MAP_OPS(xgd_map)

static __always_inline void xgd_unmapped(struct xgd_device *xd, dma_addr_t addr, size_t size,
					 enum dma_data_direction dir)
{
	this_cpu_inc(xd->cpu->unmapped);
	trace_xgd_unmap(xd, addr, size, dir == DMA_TO_DEVICE);
}

static noinline void xgd_unmap_room(struct xgd_device *xd, const struct xgd_private *private,
				    dma_addr_t addr, size_t size, enum dma_data_direction dir,
				    bool copy_back)
{
	if (xgd_room_unmap(private, addr, size, copy_back))
		xgd_unmapped(xd, addr, size, dir);
	else
		xgd_not_mapped(xd, addr, size);
}

static void xgd_unmap(struct device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs)
{
	bool copy_back = dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC);
	struct xgd_device *xd = to_xgd(dev);
	struct xgd_ref *entry = xgd_lookup(xd, addr, size);

	if (unlikely(!entry))
		goto not_mapped;

	if (xgd_is_lasting(entry)) {
		if (unlikely(!xgd_bounce_unmap(entry->private, addr, size, copy_back)))
			goto not_mapped;
	} else if (entry->flags & XGD_REF_RING) {
		xgd_unmap_room(xd, entry->private, addr, size, dir, copy_back);
		return;
	} else if (unlikely(xgd_revoke(xd, xen_grant_dma_ref(addr),
				       xen_grant_dma_pages(addr, size), copy_back))) {
		xgd_distrust(xd);
	}
	xgd_unmapped(xd, addr, size, dir);
	return;

not_mapped:
	xgd_not_mapped(xd, addr, size);
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
			/* When there is no memory it can be tried again. */
			return xgd_map_error(to_xgd(dev), sg_phys(sg), sg->length, dir, attrs) ?:
			       -ENOMEM;
		}
		sg_dma_len(sg) = sg->length;
	}

	return nents;
}

static void xgd_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	xgd_sync(to_xgd(dev), addr, size, dir != DMA_TO_DEVICE, false);
}

static void xgd_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	xgd_sync(to_xgd(dev), addr, size, dir != DMA_FROM_DEVICE, true);
}

static void xgd_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
				enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		xgd_sync_for_cpu(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

static void xgd_sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
				   enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		xgd_sync_for_device(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
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

static size_t xgd_opt_mapping_size(void)
{
	/* A backend pays per mapping more than per page: the larger the better. */
	return (xgd_refs_max_run() - 1) * XEN_PAGE_SIZE;
}

/* The template of every device's own table. */
static const struct dma_map_ops xgd_dma_ops = {
	.alloc			= xgd_alloc,
	.free			= xgd_free,
	.XGD_ALLOC_PAGES_OP	= xgd_alloc_pages,
	.free_pages		= xgd_free_pages,
	.mmap			= xgd_mmap,
	.get_sgtable		= xgd_get_sgtable,
	XGD_MAP_OPS(xgd_map, xgd_unmap),
	.map_sg			= xgd_map_sg,
	.unmap_sg		= xgd_unmap_sg,
	.sync_single_for_cpu	= xgd_sync_for_cpu,
	.sync_single_for_device	= xgd_sync_for_device,
	.sync_sg_for_cpu	= xgd_sync_sg_for_cpu,
	.sync_sg_for_device	= xgd_sync_sg_for_device,
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

/**
 * xgd_dma_init - make the table of operations of a device
 * @xd:	the device, whose mode and limits are known
 *
 * Context: any.
 */
void xgd_dma_init(struct xgd_device *xd)
{
	struct xgd_mode *mode = &xd->mode;
	unsigned int run = min(xgd_refs_max_run(), mode->max_private / 4);

	xd->ops = xgd_dma_ops;
	/* That is promised from the first buffer on, or never. */
	mode->mark_lasting &= mode->copy;
	if (mode->copy)
		mode->copy_max = XGD_COPY_MAX;
	else if (mode->isolation == XGD_ISOLATION_BYTE)
		mode->copy_max = max_t(unsigned int, mode->copy_max, XEN_PAGE_SIZE - 1);
	if (!mode->copy_max)
		mode->ring_entries = 0;
	/* One less: a buffer may begin in the middle of a page. */
	xd->max_mapping = (run - 1) * XEN_PAGE_SIZE;
	if (mode->copy)
		xd->max_mapping = min(xd->max_mapping, XGD_COPY_MAX);
}
