// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another IOMMU driver, which translates nothing. Linux 6.1 allows one in a system,
 * so that xen_grant_dma cannot be a second.
 */
#include <linux/iommu.h>
#include <linux/module.h>

static struct iommu_device iommu;

static struct iommu_device *probe_device(struct device *dev)
{
	return ERR_PTR(-ENODEV);
}

static const struct iommu_ops ops = {
	.owner		= THIS_MODULE,
	.probe_device	= probe_device,
};

static int __init other_init(void)
{
	return iommu_device_register(&iommu, &ops, NULL);
}
module_init(other_init);

/* It cannot be unloaded: on 6.1 the buses go on using its operations. */
MODULE_DESCRIPTION("Test: another IOMMU driver");
MODULE_LICENSE("GPL");
