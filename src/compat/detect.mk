# SPDX-License-Identifier: GPL-2.0-only
#
# What this kernel's headers have, found by looking at them: distributions
# change interfaces within a version.

xgd_has = $(shell grep -q $(2) $(srctree)/include/$(1) 2>/dev/null && echo y)

# dma_map_ops maps physical addresses instead of pages
xgd-have-$(call xgd_has,linux/dma-map-ops.h,-w map_phys) += -DXGD_HAVE_MAP_PHYS
# dma_map_ops.alloc_pages is called alloc_pages_op
xgd-have-$(call xgd_has,linux/dma-map-ops.h,-w alloc_pages_op) += -DXGD_HAVE_ALLOC_PAGES_OP
# an IOMMU is used without dma_map_ops
xgd-have-$(call xgd_has,linux/iommu-dma.h,-w use_dma_iommu) += -DXGD_HAVE_USE_DMA_IOMMU
# a bus has the operations of its IOMMU
xgd-have-$(call xgd_has,linux/device/bus.h,-w iommu_ops) += -DXGD_HAVE_BUS_IOMMU_OPS
# an IOMMU must not change the specifier of a device
xgd-have-$(call xgd_has,linux/iommu.h,'of_xlate.*const struct of_phandle_args') += -DXGD_HAVE_OF_XLATE_CONST
# what is called at resume gets an argument
xgd-have-$(call xgd_has,linux/syscore_ops.h,'struct syscore {') += -DXGD_HAVE_SYSCORE
# __assign_str() takes its source from __string()
xgd-have-$(call xgd_has,trace/stages/stage6_event_callback.h,'__assign_str.dst[^$(comma)]') += -DXGD_HAVE_ASSIGN_STR_1
# a virtio device has more than 64 features
xgd-have-$(call xgd_has,linux/virtio_config.h,-w get_extended_features) += -DXGD_HAVE_EXTENDED_FEATURES
# a virtio device may have mapping functions of its own
xgd-have-$(call xgd_has,linux/virtio.h,'struct virtio_map_ops .map;') += -DXGD_HAVE_VIRTIO_MAP

ccflags-y += $(xgd-have-y)
