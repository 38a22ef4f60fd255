// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend's domain in the device tree: the endpoint ID of a "xen,grant-dma"
 * IOMMU, which a platform device names in "iommus" and a PCI host bridge, for
 * the functions behind it, in "iommu-map".
 *
 * A tree that speaks of grants for a device in a way that cannot be followed means
 * that the device is not to work without: it is refused. What can be meant in two
 * ways is followed as the binding has it, and told once for each map.
 *
 * Source: Documentation/devicetree/bindings/iommu/xen,grant-dma.yaml and
 * bindings/pci/pci-iommu.txt of Linux, and its of_map_id().
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "backend.h"
#include "verdict.h"

/* An output ID that stands for "not translated", in kernels of some vendors. */
#define XGD_MAP_NO_GRANTS	0xffffffff

/**
 * enum xgd_of_news - what is told of a map
 * @XGD_NEWS_ADDED: a domain that is not written there, but comes of counting up
 * @XGD_NEWS_OVERLAP: entries for the same function that do not agree
 */
enum xgd_of_news {
	XGD_NEWS_ADDED,
	XGD_NEWS_OVERLAP,
};

/**
 * struct xgd_told - a map of which something was told
 * @list:	in xgd_told_maps
 * @bridge:	the map's node
 * @news:	what was told: bits of enum xgd_of_news
 */
struct xgd_told {
	struct list_head	list;
	struct device_node	*bridge;
	unsigned long		news;
};

static DEFINE_MUTEX(xgd_told_lock);	/* protects the list */
static LIST_HEAD(xgd_told_maps);

/* Is this to be told? It is if nobody was told before. */
static bool xgd_tell(struct device_node *bridge, enum xgd_of_news news)
{
	struct xgd_told *told;
	bool tell = true;

	mutex_lock(&xgd_told_lock);
	list_for_each_entry(told, &xgd_told_maps, list)
		if (told->bridge == bridge)
			goto found;

	/* Without memory it is told again. */
	told = kzalloc(sizeof(*told), GFP_KERNEL);
	if (!told)
		goto out;
	told->bridge = of_node_get(bridge);
	list_add_tail(&told->list, &xgd_told_maps);
found:
	tell = !__test_and_set_bit(news, &told->news);
out:
	mutex_unlock(&xgd_told_lock);
	return tell;
}

/**
 * xgd_backend_of_exit - forget what was told
 *
 * Context: process, may sleep.
 */
void xgd_backend_of_exit(void)
{
	struct xgd_told *told, *next;

	list_for_each_entry_safe(told, next, &xgd_told_maps, list) {
		of_node_put(told->bridge);
		kfree(told);
	}
	INIT_LIST_HEAD(&xgd_told_maps);
}

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
			 const struct device_node *node, const char *property, u64 domid)
{
	if (domid >= DOMID_FIRST_RESERVED) {
		xgd_refuse_err(dev, "%s of %pOF says %llu, which is not the id of a domain",
			       property, node, domid);
		return -EINVAL;
	}

	backend->domid = domid;
	snprintf(backend->source, sizeof(backend->source), "%s of %pOF", property, node);

	return 0;
}

/* Is a provider of grants among the entries of "iommus"? */
static bool xgd_names_provider(const struct device_node *node)
{
	struct of_phandle_args args;
	bool found = false;
	int i;

	for (i = 0; !found; i++) {
		if (of_parse_phandle_with_args(node, "iommus", "#iommu-cells", i, &args))
			break;
		found = xgd_is_provider(args.np);
		of_node_put(args.np);
	}

	return found;
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
	if (!xgd_is_provider(provider) && !xgd_names_provider(node)) {
		dev_info(dev, "iommus of %pOF leads to %pOF, which is no xen,grant-dma\n",
			 node, provider);
		goto out;
	}

	if (xgd_is_provider(provider)) {
		ret = xgd_check_provider(dev, provider);
		if (ret)
			goto out;
	}

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

/**
 * struct xgd_map_entry - an entry of "iommu-map"
 * @first:	its first requester ID
 * @length:	how many it is for
 * @provider:	the provider's node, with a reference
 * @output:	the output ID of @first
 */
struct xgd_map_entry {
	u32			first;
	u32			length;
	struct device_node	*provider;
	u32			output;
};

/*
 * The map is a list of (first requester ID, provider, output ID, length), the
 * output ID having as many cells as the provider says. Read the entry that begins
 * at a cell: the cell behind it, or an error.
 */
static int xgd_read_entry(const struct device_node *bridge, int cell, struct xgd_map_entry *entry)
{
	u32 phandle, cells;

	if (of_property_read_u32_index(bridge, "iommu-map", cell, &entry->first) ||
	    of_property_read_u32_index(bridge, "iommu-map", cell + 1, &phandle))
		return -EINVAL;
	entry->provider = of_find_node_by_phandle(phandle);
	if (!entry->provider)
		return -EINVAL;

	if (of_property_read_u32(entry->provider, "#iommu-cells", &cells))
		cells = 1;
	entry->output = 0;
	if (cells)
		of_property_read_u32_index(bridge, "iommu-map", cell + 2, &entry->output);
	if (cells > MAX_PHANDLE_ARGS ||
	    of_property_read_u32_index(bridge, "iommu-map", cell + 2 + cells, &entry->length)) {
		of_node_put(entry->provider);
		return -EINVAL;
	}

	return cell + 3 + cells;
}

static bool xgd_covers(const struct xgd_map_entry *entry, u32 id)
{
	return id >= entry->first && id - entry->first < entry->length;
}

/* The domain that an entry has for an ID, as far as it is one. */
static u64 xgd_entry_domid(const struct xgd_map_entry *entry, u32 id)
{
	return (u64)entry->output + id - entry->first;
}

/* Without grants: by another provider, or as the output ID says. */
static bool xgd_entry_grants(const struct xgd_map_entry *entry)
{
	return xgd_is_provider(entry->provider) && entry->output != XGD_MAP_NO_GRANTS;
}

/* Tell of an entry behind the one that counts, if it says something else. */
static void xgd_tell_overlap(struct device *dev, struct device_node *bridge, u32 id, int cell,
			     const struct xgd_map_entry *entry)
{
	int count = of_property_count_u32_elems(bridge, "iommu-map");
	struct xgd_map_entry other;
	bool same;

	while (cell < count) {
		cell = xgd_read_entry(bridge, cell, &other);
		if (cell < 0)
			return;
		same = xgd_entry_grants(entry) ?
			xgd_entry_grants(&other) &&
			xgd_entry_domid(entry, id) == xgd_entry_domid(&other, id) :
			!xgd_entry_grants(&other);
		of_node_put(other.provider);
		if (!xgd_covers(&other, id) || same)
			continue;
		if (xgd_tell(bridge, XGD_NEWS_OVERLAP))
			dev_warn(dev, "iommu-map of %pOF has entries for ID %#x that do not agree, <%#x ... %#x %u> and <%#x ... %#x %u>: the first counts\n",
				 bridge, id, entry->first, entry->output, entry->length,
				 other.first, other.output, other.length);
		return;
	}
}

/* What an entry says of a function that it covers. */
static int xgd_from_entry(struct device *dev, struct device_node *bridge, u32 id,
			  const struct xgd_map_entry *entry, struct xgd_backend *backend)
{
	u64 domid = xgd_entry_domid(entry, id);
	int ret;

	if (!xgd_is_provider(entry->provider))
		return -ENOENT;

	ret = xgd_check_provider(dev, entry->provider);
	if (ret)
		return ret;

	if (!xgd_entry_grants(entry)) {
		snprintf(backend->source, sizeof(backend->source),
			 "%#x in iommu-map of %pOF", XGD_MAP_NO_GRANTS, bridge);
		return -ENODEV;
	}

	if (domid != entry->output && xgd_tell(bridge, XGD_NEWS_ADDED))
		dev_warn(dev, "iommu-map of %pOF counts up to domain %llu for ID %#x: that entry begins with domain %u for ID %#x; if this one is meant for all, write an entry of length 1 for each function\n",
			 bridge, domid, id, entry->output, entry->first);

	return xgd_set_domid(dev, backend, bridge, "iommu-map", domid);
}

static int xgd_from_iommu_map(struct device *dev, struct device_node *bridge, u32 rid,
			      struct xgd_backend *backend)
{
	bool grants = false, bad_mask = false;
	u32 mask = U32_MAX, id, left_out = 0;
	struct xgd_map_entry entry;
	int cell = 0, count, ret;

	count = of_property_count_u32_elems(bridge, "iommu-map");
	if (count == -EINVAL)
		return -ENOENT;
	of_property_read_u32(bridge, "iommu-map-mask", &mask);
	id = rid & mask;

	while (cell < count) {
		cell = xgd_read_entry(bridge, cell, &entry);
		if (cell < 0)
			break;
		grants |= xgd_is_provider(entry.provider);
		/* Here the kernel, which also sets up the waiting, gives up. */
		if (!bad_mask && (entry.first & ~mask)) {
			bad_mask = true;
			left_out = entry.first;
		}
		ret = -EAGAIN;
		if (!bad_mask && xgd_covers(&entry, id)) {
			ret = xgd_from_entry(dev, bridge, id, &entry, backend);
			if (ret != -EINVAL)
				xgd_tell_overlap(dev, bridge, id, cell, &entry);
		}
		of_node_put(entry.provider);
		if (ret != -EAGAIN)
			return ret;
	}
	if (count <= 0 || cell < 0) {
		xgd_refuse_err(dev, "iommu-map of %pOF is malformed", bridge);
		return -EINVAL;
	}
	if (grants && bad_mask) {
		xgd_refuse_err(dev, "iommu-map of %pOF has an entry for ID %#x, which has bits that iommu-map-mask = <%#x> does not have: mend one of them",
			       bridge, left_out, mask);
		return -EINVAL;
	}

	/* A function that the map leaves out is not to use grants: no news. */
	backend->source[0] = '\0';
	return grants ? -ENODEV : -ENOENT;
}

/*
 * Whatever names a provider in "iommus" means grants, but there is no way to say so
 * of a function or of all that is behind a bridge.
 */
static int xgd_check_iommus(struct device *dev, const struct device_node *node,
			    const struct device_node *bridge, u32 rid)
{
	if (!node || !xgd_names_provider(node))
		return 0;

	xgd_refuse_err(dev, "iommus of %pOF means grants, but a PCI function gets them by iommu-map of its host bridge: write iommu-map = <%#x PROVIDER DOMID 1> to %pOF",
		       node, rid, bridge);
	return -EINVAL;
}

static int xgd_from_bridge(struct pci_dev *pdev, struct pci_host_bridge *host,
			   struct xgd_backend *backend)
{
	struct device_node *bridge = host->dev.parent->of_node;
	u32 rid = PCI_DEVID(pdev->bus->number, pdev->devfn);
	struct device *dev = &pdev->dev, *above;
	int ret;

	ret = xgd_from_iommu_map(dev, bridge, rid, backend);
	if (!ret || ret == -EINVAL)
		return ret;

	for (above = dev; above && above != &host->dev; above = above->parent)
		if (xgd_check_iommus(dev, above->of_node, bridge, rid))
			return -EINVAL;
	/* Beside a map, it is the bridge itself that iommus is about. */
	if (!of_find_property(bridge, "iommu-map", NULL) &&
	    xgd_check_iommus(dev, bridge, bridge, rid))
		return -EINVAL;

	return ret;
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
	struct pci_host_bridge *host;
	struct pci_dev *pdev;

	if (!dev_is_pci(dev))
		return xgd_from_iommus(dev, backend);

	pdev = to_pci_dev(dev);
	host = pci_find_host_bridge(pdev->bus);
	if (!host->dev.parent)
		return -ENOENT;

	return xgd_from_bridge(pdev, host, backend);
}

/**
 * xgd_in_tree - is the device there because a device tree has it?
 * @vdev:	the device
 *
 * Context: any.
 * Return: whether the tree could name its backend.
 */
bool xgd_in_tree(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;

	if (dev_is_pci(dev))
		dev = pci_find_host_bridge(to_pci_dev(dev)->bus)->dev.parent;

	return dev && dev->of_node;
}
