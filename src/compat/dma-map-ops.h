/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/dma-map-ops.h> as it is in Linux 7.2, for the kernels before.
 */
#ifndef XGD_COMPAT_DMA_MAP_OPS_H
#define XGD_COMPAT_DMA_MAP_OPS_H

#include <linux/dma-map-ops.h>
#ifdef XGD_HAVE_USE_DMA_IOMMU
#include <linux/iommu-dma.h>
#endif

/* Before, MMIO came by dma_map_ops.map_resource, which this driver leaves out. */
#ifndef DMA_ATTR_MMIO
#define DMA_ATTR_MMIO	0UL
#endif

#ifdef XGD_HAVE_ALLOC_PAGES_OP
#define XGD_ALLOC_PAGES_OP	alloc_pages_op
#else
#define XGD_ALLOC_PAGES_OP	alloc_pages
#endif

/*
 * XGD_MAP_OPS(map, unmap) - the members of struct dma_map_ops for a mapping
 * function that takes a physical address. Declare the functions with
 * XGD_DEFINE_MAP_OPS() first.
 */
#ifdef XGD_HAVE_MAP_PHYS
#define XGD_DEFINE_MAP_OPS(map)
#define XGD_MAP_OPS(map, unmap)	.map_phys = map, .unmap_phys = unmap
#else
#define XGD_DEFINE_MAP_OPS(map)							\
static dma_addr_t map##_page(struct device *dev, struct page *page,		\
			     unsigned long offset, size_t size,			\
			     enum dma_data_direction dir, unsigned long attrs)	\
{										\
	return map(dev, page_to_phys(page) + offset, size, dir, attrs);	\
}

#define XGD_MAP_OPS(map, unmap)	.map_page = map##_page, .unmap_page = unmap
#endif

/*
 * Does an IOMMU of the machine translate for this device? Then the DMA core
 * either passes dma_map_ops by or has them set already.
 */
static inline bool xgd_uses_iommu(struct device *dev)
{
#ifdef XGD_HAVE_USE_DMA_IOMMU
	return use_dma_iommu(dev);
#else
	return dev->dma_ops && dev->iommu_group;
#endif
}

/*
 * Has the kernel's own code (CONFIG_XEN_VIRTIO) set its operations for this device?
 * They have no name here, but no others take a mask of all 64 bits and none besides.
 */
static inline bool xgd_has_own_grants(struct device *dev)
{
	const struct dma_map_ops *ops = dev->dma_ops;

	return IS_ENABLED(CONFIG_XEN_VIRTIO) && ops && ops->dma_supported &&
	       ops->dma_supported(dev, DMA_BIT_MASK(64)) &&
	       !ops->dma_supported(dev, DMA_BIT_MASK(63));
}

/* Does the DMA core serve coherent memory from a pool of the device's, not by its ops? */
static inline bool xgd_has_own_memory(struct device *dev)
{
#ifdef CONFIG_DMA_DECLARE_COHERENT
	return dev->dma_mem;
#else
	return false;
#endif
}

#endif /* XGD_COMPAT_DMA_MAP_OPS_H */
