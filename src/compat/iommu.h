/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_COMPAT_IOMMU_H
#define XGD_COMPAT_IOMMU_H

#include <linux/iommu.h>
#ifdef XGD_HAVE_BUS_IOMMU_OPS
#include <linux/amba/bus.h>
#include <linux/fsl/mc.h>
#include <linux/host1x_context_bus.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

static inline void xgd_iommu_forget_bus(struct bus_type *bus, const struct iommu_ops *ops)
{
	if (bus->iommu_ops == ops)
		bus->iommu_ops = NULL;
}

/*
 * A device that is to wait, or has no IOMMU, must not keep what the core has noted
 * for it: the next time it would pass for set up. Later kernels forget it themselves.
 */
static inline void xgd_iommu_fwspec_free(struct device *dev)
{
	iommu_fwspec_free(dev);
}
#else
static inline void xgd_iommu_fwspec_free(struct device *dev)
{
}
#endif

/* iommu_ops.of_xlate promises not to change its argument. */
#ifdef XGD_HAVE_OF_XLATE_CONST
#define XGD_OF_XLATE_CONST	const
#else
#define XGD_OF_XLATE_CONST
#endif

/*
 * Where the operations belong to a bus, unregistering leaves them there, for the
 * next device to use; so does registering that fails on one of the buses. Which buses
 * these are: iommu_buses of drivers/iommu/iommu.c. The module is about to go.
 */
static inline void xgd_iommu_forget(const struct iommu_ops *ops)
{
#ifdef XGD_HAVE_BUS_IOMMU_OPS
	xgd_iommu_forget_bus(&platform_bus_type, ops);
#ifdef CONFIG_PCI
	xgd_iommu_forget_bus(&pci_bus_type, ops);
#endif
#ifdef CONFIG_ARM_AMBA
	xgd_iommu_forget_bus(&amba_bustype, ops);
#endif
#ifdef CONFIG_FSL_MC_BUS
	xgd_iommu_forget_bus(&fsl_mc_bus_type, ops);
#endif
#ifdef CONFIG_TEGRA_HOST1X_CONTEXT_BUS
	xgd_iommu_forget_bus(&host1x_context_device_bus_type, ops);
#endif
#endif
}

#endif /* XGD_COMPAT_IOMMU_H */
