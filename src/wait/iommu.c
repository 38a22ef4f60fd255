// SPDX-License-Identifier: GPL-2.0-only
/*
 * The "xen,grant-dma" node is an IOMMU to the device tree, so the kernel has the
 * devices behind it wait for an IOMMU driver: this one, which translates nothing.
 * Without it they come up 10 s late.
 *
 * It is asked about each device before the device's driver touches it. So it can also
 * have the device wait, for as long as its backend is not there.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include "compat/iommu.h"
#include "iommu.h"
#include "ready.h"
#include "wait.h"

static struct iommu_device *xgd_iommu_probe_device(struct device *dev)
{
	return ERR_PTR(-ENODEV);
}

/* The cell behind the phandle is the backend's domain. */
static int xgd_iommu_of_xlate(struct device *dev, XGD_OF_XLATE_CONST struct of_phandle_args *args)
{
	int ret = xgd_ready_check(dev, args->args[0]);

	/* Whatever the answer is, this IOMMU does nothing for the device. */
	xgd_iommu_fwspec_free(dev);

	return ret ?: -ENODEV;
}

static const struct iommu_ops xgd_iommu_ops = {
	.owner = THIS_MODULE,
	.probe_device = xgd_iommu_probe_device,
	.of_xlate = xgd_iommu_of_xlate,
};

/* Nodes that are served, or may be. */
static atomic_t xgd_iommu_nodes;

static void xgd_iommu_put(void)
{
	if (atomic_dec_and_test(&xgd_iommu_nodes))
		xgd_iommu_forget(&xgd_iommu_ops);
}

static void xgd_iommu_unregister(void *iommu)
{
	iommu_device_unregister(iommu);
	xgd_iommu_put();
}

/* Each node has an iommu_device of its own: there may be several. */
static int xgd_iommu_probe(struct platform_device *pdev)
{
	struct iommu_device *iommu;
	int ret;

	iommu = devm_kzalloc(&pdev->dev, sizeof(*iommu), GFP_KERNEL);
	if (!iommu)
		return -ENOMEM;

	/* Before the first device asks, which may be now. */
	xgd_wait_for_node(&pdev->dev);

	atomic_inc(&xgd_iommu_nodes);
	ret = iommu_device_register(iommu, &xgd_iommu_ops, &pdev->dev);
	if (ret == -EBUSY)
		dev_warn(&pdev->dev,
			 "this kernel allows one IOMMU driver, and there is one: devices behind this node come up when the kernel has waited for deferred_probe_timeout\n");
	if (ret) {
		xgd_iommu_put();
		return ret;
	}

	return devm_add_action_or_reset(&pdev->dev, xgd_iommu_unregister, iommu);
}

static const struct of_device_id xgd_iommu_of_match[] = {
	{ .compatible = "xen,grant-dma" },
	{ }
};
MODULE_DEVICE_TABLE(of, xgd_iommu_of_match);

static struct platform_driver xgd_iommu_driver = {
	.driver = {
		.name = "xen-grant-dma",
		.of_match_table = xgd_iommu_of_match,
	},
	.probe = xgd_iommu_probe,
};

static bool xgd_iommu_registered;

/**
 * xgd_iommu_init - serve the nodes
 *
 * Devices that were waiting for them are probed now.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int xgd_iommu_init(void)
{
	int ret = platform_driver_register(&xgd_iommu_driver);

	xgd_iommu_registered = !ret;

	return ret;
}

/**
 * xgd_iommu_exit - stop serving the nodes, if xgd_iommu_init() could
 *
 * Context: process, may sleep.
 */
void xgd_iommu_exit(void)
{
	if (xgd_iommu_registered)
		platform_driver_unregister(&xgd_iommu_driver);
}
