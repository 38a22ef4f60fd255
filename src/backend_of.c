// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend's domain in the device tree: the endpoint ID of a "xen,grant-dma"
 * IOMMU, which a platform device names in "iommus" and a PCI host bridge, for
 * the functions behind it, in "iommu-map".
 *
 * Source: Documentation/devicetree/bindings/iommu/xen,grant-dma.yaml and
 * bindings/pci/pci-iommu.txt of Linux.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/of.h>
#include <linux/pci.h>

#include "backend.h"
#include "verdict.h"

static bool xgd_is_provider(const struct device_node *node)
{
	return of_device_is_compatible(node, "xen,grant-dma");
}

/* Is this provider fit for use? If not, say why: the tree meant grants. */
static int xgd_check_provider(struct device *dev, const struct device_node *node)
{
	u32 cells;

	if (!of_device_is_available(node)) {
		xgd_refuse_err(dev, "%pOF is disabled", node);
		return -EINVAL;
	}
	if (of_property_read_u32(node, "#iommu-cells", &cells) || cells != 1) {
		xgd_refuse_err(dev, "%pOF must have #iommu-cells = <1>", node);
		return -EINVAL;
	}

	return 0;
}

static int xgd_set_domid(struct device *dev, struct xgd_backend *backend,
			 const struct device_node *node, const char *property, u32 domid)
{
	if (domid >= DOMID_FIRST_RESERVED) {
		xgd_refuse_err(dev, "%s of %pOF says %u, which is not the id of a domain",
			       property, node, domid);
		return -EINVAL;
	}

	backend->domid = domid;
	snprintf(backend->source, sizeof(backend->source), "%s of %pOF", property, node);

	return 0;
}

static int xgd_from_iommus(struct device *dev, struct xgd_backend *backend)
{
	struct device_node *node = dev->of_node, *provider;
	struct of_phandle_args args;
	int ret;

	if (!of_find_property(node, "iommus", NULL))
		return -ENOENT;

	provider = of_parse_phandle(node, "iommus", 0);
	if (!provider) {
		xgd_refuse_err(dev, "iommus of %pOF leads to no node", node);
		return -EINVAL;
	}
	ret = -ENOENT;
	if (!xgd_is_provider(provider)) {
		dev_info(dev, "iommus of %pOF leads to %pOF, which is no xen,grant-dma\n",
			 node, provider);
		goto out;
	}

	ret = xgd_check_provider(dev, provider);
	if (ret)
		goto out;

	ret = -EINVAL;
	if (of_count_phandle_with_args(node, "iommus", "#iommu-cells") != 1 ||
	    of_parse_phandle_with_args(node, "iommus", "#iommu-cells", 0, &args)) {
		xgd_refuse_err(dev, "iommus of %pOF must be one phandle and one domain id",
			       node);
		goto out;
	}
	of_node_put(args.np);
	ret = xgd_set_domid(dev, backend, node, "iommus", args.args[0]);
out:
	of_node_put(provider);
	return ret;
}

/*
 * The map is a list of (first requester ID, provider, output ID, length), the
 * output ID having as many cells as the provider says.
 */
static int xgd_from_iommu_map(struct device *dev, const struct device_node *bridge, u32 rid,
			      struct xgd_backend *backend)
{
	u32 mask = U32_MAX, first, phandle, domid, length, cells;
	struct device_node *provider;
	bool grants = false;
	int i, count, ret;

	count = of_property_count_u32_elems(bridge, "iommu-map");
	if (count == -EINVAL)
		return -ENOENT;
	of_property_read_u32(bridge, "iommu-map-mask", &mask);

	for (i = 0; i < count; i += 3 + cells) {
		if (of_property_read_u32_index(bridge, "iommu-map", i, &first) ||
		    of_property_read_u32_index(bridge, "iommu-map", i + 1, &phandle))
			goto malformed;
		provider = of_find_node_by_phandle(phandle);
		if (!provider)
			goto malformed;

		if (of_property_read_u32(provider, "#iommu-cells", &cells))
			cells = 1;
		if (cells > MAX_PHANDLE_ARGS ||
		    of_property_read_u32_index(bridge, "iommu-map", i + 2 + cells, &length)) {
			of_node_put(provider);
			goto malformed;
		}
		grants |= xgd_is_provider(provider);
		if ((rid & mask) < first || (rid & mask) - first >= length) {
			of_node_put(provider);
			continue;
		}

		ret = -ENOENT;
		if (xgd_is_provider(provider)) {
			ret = xgd_check_provider(dev, provider);
			of_property_read_u32_index(bridge, "iommu-map", i + 2, &domid);
		}
		of_node_put(provider);
		if (ret)
			return ret;
		return xgd_set_domid(dev, backend, bridge, "iommu-map",
				     domid + (rid & mask) - first);
	}
	if (count <= 0)
		goto malformed;

	/* A function that the map leaves out is not to use grants: no news. */
	backend->source[0] = '\0';
	return grants ? -ENODEV : -ENOENT;

malformed:
	xgd_refuse_err(dev, "iommu-map of %pOF is malformed", bridge);
	return -EINVAL;
}

/**
 * xgd_backend_of - ask the device tree
 * @vdev:	the device
 * @backend:	the answer
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT when the tree says nothing; -ENODEV when it says that the
 * device does not use grants; -EINVAL, and a line in the log, when it means
 * grants but cannot be followed.
 */
int xgd_backend_of(struct virtio_device *vdev, struct xgd_backend *backend)
{
	struct device *dev = vdev->dev.parent;
	struct pci_host_bridge *bridge;
	struct pci_dev *pdev;

	if (!dev_is_pci(dev))
		return xgd_from_iommus(dev, backend);

	pdev = to_pci_dev(dev);
	bridge = pci_find_host_bridge(pdev->bus);
	if (!bridge->dev.parent)
		return -ENOENT;

	return xgd_from_iommu_map(dev, bridge->dev.parent->of_node,
				  PCI_DEVID(pdev->bus->number, pdev->devfn), backend);
}
