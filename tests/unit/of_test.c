// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device tree says of a backend, for platform devices and, by the map of
 * their host bridge, for PCI functions. The tree is of_trees.dtso.
 */
#include <kunit/device.h>
#include <linux/of.h>
#include <linux/pci.h>

#include "policy/backend.h"
#include "unit.h"

extern const u8 __dtbo_of_trees_begin[];
extern const u8 __dtbo_of_trees_end[];

static int of_overlay;

static int of_suite_init(struct kunit_suite *suite)
{
	return of_overlay_fdt_apply(__dtbo_of_trees_begin,
				    __dtbo_of_trees_end - __dtbo_of_trees_begin, &of_overlay,
				    NULL);
}

static void of_suite_exit(struct kunit_suite *suite)
{
	xgd_backend_of_exit();
	of_overlay_remove(&of_overlay);
}

/* What a node says, and what of it is found. */
struct saying {
	const char	*node;
	int		ret;
	domid_t		domid;
};

static void saying_name(const struct saying *saying, char *name)
{
	strscpy(name, saying->node, KUNIT_PARAM_DESC_SIZE);
}

static const struct saying sayings[] = {
	{ "nothing",		-ENOENT },
	{ "one",		0, 7 },
	{ "two",		0, 0 },
	{ "last",		0, 32751 },
	{ "reserved",		-EINVAL },
	{ "huge",		-EINVAL },
	{ "entries",		-EINVAL },
	{ "short",		-EINVAL },
	{ "dangling",		-EINVAL },
	{ "empty",		-EINVAL },
	{ "to-disabled",	-EINVAL },
	{ "to-wide",		-EINVAL },
	{ "to-none",		-EINVAL },
	{ "to-other",		-ENOENT },
	{ "other-too",		-EINVAL },
	{ "other-first",	-EINVAL },
};

KUNIT_ARRAY_PARAM(platform, sayings, saying_name);

static const struct saying map_sayings[] = {
	{ "nothing",			-ENOENT },
	{ "map-one",			0, 5 },
	{ "map-range",			0, 108 },
	{ "map-later",			0, 2 },
	{ "map-first",			0, 9 },
	{ "map-before",			-ENODEV },
	{ "map-behind",			-ENODEV },
	{ "map-end",			0, 2 },
	{ "map-none",			-ENODEV },
	{ "map-mask",			0, 9 },
	{ "map-reserved",		-EINVAL },
	{ "map-mask-ignores",		-EINVAL },
	{ "map-mask-ignores-later",	0, 9 },
	{ "map-mask-ignores-other",	-EINVAL },
	{ "map-mask-all-other",		-ENOENT },
	{ "map-overlap",		0, 5 },
	{ "map-overlap-other",		0, 5 },
	{ "map-not",			-ENODEV },
	{ "map-not-inside",		-ENODEV },
	{ "map-not-first",		-ENODEV },
	{ "map-not-disabled",		-EINVAL },
	{ "map-wrap",			-EINVAL },
	{ "map-all",			0, 11 },
	{ "map-other",			-ENOENT },
	{ "map-after-other",		0, 6 },
	{ "map-beside-other",		-ENODEV },
	{ "map-disabled",		-EINVAL },
	{ "map-disabled-elsewhere",	0, 4 },
	{ "map-wide",			-EINVAL },
	{ "map-empty",			-EINVAL },
	{ "map-short",			-EINVAL },
	{ "map-cut",			-EINVAL },
	{ "map-dangling",		-EINVAL },
	{ "bridge-only",		-EINVAL },
	{ "bridge-other",		-ENOENT },
	{ "bridge-too",			0, 5 },
	{ "bridge-left-out",		-ENODEV },
	{ "function-only",		-EINVAL },
	{ "function-other",		-ENOENT },
	{ "function-too",		0, 5 },
	{ "function-left-out",		-EINVAL },
	{ "port-only",			-EINVAL },
};

KUNIT_ARRAY_PARAM(map, map_sayings, saying_name);

static void put_node(void *node)
{
	of_node_put(node);
}

/* A device that one of the nodes is about. */
static struct device *device_of(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, "xgd-unit");
	struct device_node *node;
	char path[64];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	snprintf(path, sizeof(path), "/xgd-unit/%s", name);
	node = of_find_node_by_path(path);
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_node, node), 0);
	dev->of_node = node;

	return dev;
}

static void expect(struct kunit *test, struct device *dev, const char *property)
{
	const struct saying *saying = test->param_value;
	struct virtio_device *vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	struct xgd_backend backend = {};
	char source[80];

	KUNIT_ASSERT_NOT_NULL(test, vdev);
	vdev->dev.parent = dev;
	KUNIT_EXPECT_EQ(test, xgd_backend_of(vdev, &backend), saying->ret);
	if (saying->ret)
		return;
	KUNIT_EXPECT_EQ(test, backend.domid, saying->domid);
	snprintf(source, sizeof(backend.source), "%s of /xgd-unit/%s", property, saying->node);
	KUNIT_EXPECT_STREQ(test, backend.source, source);
}

static void of_platform(struct kunit *test)
{
	const struct saying *saying = test->param_value;

	expect(test, device_of(test, saying->node), "iommus");
}

/* Nodes below that of the bridge: of the function, and of a bridge above it. */
static struct device_node *node_below(struct kunit *test, struct device *bridge, const char *name)
{
	struct device_node *node = of_get_child_by_name(bridge->of_node, name);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_node, node), 0);

	return node;
}

/* A function and a root bus that nobody else knows of. */
static void of_map(struct kunit *test)
{
	const struct saying *saying = test->param_value;
	struct pci_host_bridge *bridge = kunit_kzalloc(test, sizeof(*bridge), GFP_KERNEL);
	struct pci_bus *bus = kunit_kzalloc(test, sizeof(*bus), GFP_KERNEL);
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	struct pci_dev *port = kunit_kzalloc(test, sizeof(*port), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bridge);
	KUNIT_ASSERT_NOT_NULL(test, bus);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_NOT_NULL(test, port);
	bus->bridge = &bridge->dev;
	pdev->bus = bus;
	pdev->devfn = PCI_DEVFN(1, 0);
	pdev->dev.bus = &pci_bus_type;

	/* As on x86, where nothing is above the bridge. */
	if (!strcmp(saying->node, "nothing"))
		expect(test, &pdev->dev, "iommu-map");

	bridge->dev.parent = device_of(test, saying->node);
	pdev->dev.of_node = node_below(test, bridge->dev.parent, "function");
	port->dev.of_node = node_below(test, bridge->dev.parent, "port");
	pdev->dev.parent = &port->dev;
	port->dev.parent = &bridge->dev;
	expect(test, &pdev->dev, "iommu-map");
}

static struct kunit_case of_cases[] = {
	KUNIT_CASE_PARAM(of_platform, platform_gen_params),
	KUNIT_CASE_PARAM(of_map, map_gen_params),
	{}
};

static struct kunit_suite of_suite = {
	.name = "xgd_backend_of",
	.suite_init = of_suite_init,
	.suite_exit = of_suite_exit,
	.test_cases = of_cases,
};

kunit_test_suite(of_suite);
