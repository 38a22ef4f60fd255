// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which domain serves a device: the parameters, and their order before the rest.
 */
#include <kunit/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "params.h"
#include "policy/backend.h"
#include "unit.h"

static const struct kernel_param *param(struct kunit *test, const char *name)
{
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, name))
			return &THIS_MODULE->kp[i];
	KUNIT_FAIL(test, "there is no parameter %s", name);
	kunit_mark_skipped(test, "no parameter");
	return &THIS_MODULE->kp[0];
}

static int set(struct kunit *test, const char *name, const char *value)
{
	const struct kernel_param *kp = param(test, name);

	return kp->ops->set(value, kp);
}

static const char *get(struct kunit *test, const char *name)
{
	const struct kernel_param *kp = param(test, name);
	char *page = (char *)unit_pages(test, 0);

	kp->ops->get(page, kp);

	return strim(page);
}

/* As a user has them who sets none. */
static void backend_exit(struct kunit *test)
{
	set(test, "backend", "");
	set(test, "force_grant", "0");
	set(test, "isolation", "byte");
	set(test, "max_refs", "0");
}

/* A virtio device on a DMA device that nothing is known of. */
static struct virtio_device *device(struct kunit *test, struct device *dev)
{
	struct virtio_device *vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	struct device_driver *driver;

	KUNIT_ASSERT_NOT_NULL(test, vdev);
	/* KUnit puts the name of the test in front. */
	if (!dev) {
		driver = kunit_driver_create(test, "virtio-unit");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, driver);
		dev = kunit_device_register_with_driver(test, "virtio", driver);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	}
	vdev->dev.parent = dev;
	vdev->dev.init_name = "virtio7";

	return vdev;
}

static void backend_rules(struct kunit *test)
{
	static const char *const good[] = {
		"*=0", "*=none", "0000:00:01.0=1,*=none", "a000000.virtio=32751", "a=b=7",
		"virtio7=0:copy,virtio8=1:page,*=0", "virtio7=0,virtio7=1,x=none"
	};
	static const char *const bad[] = {
		"*", "=1", "*=", "*=32752", "*=65536", "*=-1", ",", "*=1,,*=2", "*=1,",
		"a b=1", "*=1 2", "*=NONE", "*=0x",
		"*=0:", "*=0:none", "*=:copy", "*=none:copy", "*=0:copy:copy",
		"*=0:page:copy", "*=none:page"
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ_MSG(test, set(test, "backend", good[i]), 0, "%s", good[i]);
		KUNIT_EXPECT_STREQ(test, get(test, "backend"), good[i]);
	}
	/* What is wrong changes nothing. */
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, set(test, "backend", bad[i]), -EINVAL, "%s", bad[i]);
		KUNIT_EXPECT_STREQ(test, get(test, "backend"), good[ARRAY_SIZE(good) - 1]);
	}
	KUNIT_EXPECT_EQ(test, set(test, "backend", ""), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&xgd_backend_rules));
}

static void backend_rules_no_memory(struct kunit *test)
{
	unsigned int n;
	int ret;

	KUNIT_EXPECT_EQ(test, set(test, "backend", "x=1"), 0);
	for (n = 1; ; n++) {
		unit_fail(n);
		ret = set(test, "backend", "a=1,b=2,c=none");
		if (!unit_failed())
			break;
		/* The words of a message may be missing, a rule must not. */
		KUNIT_EXPECT_STREQ(test, get(test, "backend"),
				   ret ? "x=1" : "a=1,b=2,c=none");
		KUNIT_EXPECT_EQ(test, set(test, "backend", "x=1"), 0);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_GT(test, n, 4);
}

static void backend_other_params(struct kunit *test)
{
	struct xgd_mode mode;

	KUNIT_EXPECT_EQ(test, set(test, "isolation", "page"), 0);
	KUNIT_EXPECT_EQ(test, set(test, "isolation", "bytes"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "isolation", "copy"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "copy", "always"), 0);
	KUNIT_EXPECT_EQ(test, set(test, "copy", "never"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "copy_max", "262145"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "copy_max", "262144"), 0);
	KUNIT_EXPECT_EQ(test, set(test, "max_refs", "1023"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "max_refs", "-1"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "max_refs", "1024"), 0);
	KUNIT_EXPECT_EQ(test, set(test, "bounce_kb", "0"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, "bounce_kb", "16384"), 0);
	KUNIT_EXPECT_EQ(test, set(test, "force_grant", "maybe"), -EINVAL);
	xgd_params_mode(&mode);
	KUNIT_EXPECT_EQ(test, mode.isolation, XGD_ISOLATION_PAGE);
	KUNIT_EXPECT_TRUE(test, mode.copy);
	KUNIT_EXPECT_EQ(test, mode.copy_max, XGD_COPY_MAX);
	KUNIT_EXPECT_EQ(test, mode.max_refs, 1024);
	KUNIT_EXPECT_EQ(test, mode.max_private, 4096);
	KUNIT_EXPECT_FALSE(test, mode.rw_grants);
}

/* The first rule that is about the device decides. */
static void backend_param(struct kunit *test)
{
	static const struct {
		const char	*rules;
		int		ret;
		domid_t		domid;
		bool		copy;
		bool		page;
		const char	*source;
	} answers[] = {
		{ "*=3", 0, 3, false, false, "backend=*=3" },
		{ "backend_param.virtio=4,*=3", 0, 4, false, false,
		  "backend=backend_param.virtio=4" },
		{ "*=3,backend_param.virtio=4", 0, 3, false, false, "backend=*=3" },
		{ "virtio7=5:copy,*=3", 0, 5, true, false, "backend=virtio7=5:copy" },
		{ "virtio7=5:page,*=3", 0, 5, false, true, "backend=virtio7=5:page" },
		{ "virtio70=6:copy,virtio=6,backend_param=6", -ENODEV, 0, false, false,
		  "no backend is named" },
		{ "virtio7=none,*=1", -ENODEV, 0, false, false, "backend=virtio7=none" },
		{ "", -ENODEV, 0, false, false, "no backend is named" },
	};
	struct virtio_device *vdev = device(test, NULL);
	struct xgd_backend backend;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		memset(&backend, 0, sizeof(backend));
		KUNIT_ASSERT_EQ(test, set(test, "backend", answers[i].rules), 0);
		KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), answers[i].ret);
		KUNIT_EXPECT_EQ(test, backend.domid, answers[i].domid);
		KUNIT_EXPECT_EQ(test, backend.copy, answers[i].copy);
		KUNIT_EXPECT_EQ(test, backend.page, answers[i].page);
		KUNIT_EXPECT_STREQ(test, backend.source, answers[i].source);
	}
}

/* A PCI address with and without its segment. */
static void backend_pci(struct kunit *test)
{
	struct pci_dev *pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(1, 0));
	struct virtio_device *vdev;
	struct xgd_backend backend;

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	vdev = device(test, &pdev->dev);
	KUNIT_EXPECT_EQ(test, set(test, "backend", "00:01.0=8"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), 0);
	KUNIT_EXPECT_EQ(test, backend.domid, 8);
	KUNIT_EXPECT_EQ(test, set(test, "backend", "0000:00:01.0=9"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), 0);
	KUNIT_EXPECT_EQ(test, backend.domid, 9);
	KUNIT_EXPECT_EQ(test, set(test, "backend", "0:01.0=8,01.0=8,0000:00:01.1=8"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), -ENODEV);
	pci_dev_put(pdev);
}

/* Behind pcifront, as PV guests have it: what is meant for all is not meant for it. */
static void backend_passed_through(struct kunit *test)
{
	static const struct bus_type xenbus = { .name = "xen" };
	struct pci_dev *pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(1, 0));
	struct device *pcifront = kunit_kzalloc(test, sizeof(*pcifront), GFP_KERNEL);
	struct device *bridge, *parent;
	struct xgd_backend all, named;
	struct virtio_device *vdev;
	int all_ret, named_ret;

	KUNIT_ASSERT_NOT_NULL(test, pcifront);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pcifront->bus = &xenbus;
	vdev = device(test, &pdev->dev);
	KUNIT_EXPECT_EQ(test, set(test, "force_grant", "1"), 0);
	bridge = &pci_find_host_bridge(pdev->bus)->dev;
	parent = bridge->parent;
	bridge->parent = pcifront;
	set(test, "backend", "*=1,default=2");
	all_ret = xgd_backend_find(vdev, &all);
	set(test, "backend", "00:01.0=3");
	named_ret = xgd_backend_find(vdev, &named);
	bridge->parent = parent;
	pci_dev_put(pdev);

	KUNIT_EXPECT_EQ(test, all_ret, -ENODEV);
	KUNIT_EXPECT_STREQ(test, all.source,
			   "it is passed through, so no Xen backend serves it");
	KUNIT_EXPECT_EQ(test, named_ret, 0);
	KUNIT_EXPECT_EQ(test, named.domid, 3);
}

static void backend_force(struct kunit *test)
{
	struct virtio_device *vdev = device(test, NULL);
	struct xgd_backend backend = { .domid = 5 };

	KUNIT_ASSERT_EQ(test, set(test, "force_grant", "1"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), 0);
	KUNIT_EXPECT_EQ(test, backend.domid, 0);
	KUNIT_EXPECT_STREQ(test, backend.source, "force_grant=1");
	KUNIT_ASSERT_EQ(test, set(test, "backend", "*=none"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), -ENODEV);
}

/* An entry for what nothing else names. */
static void backend_rest(struct kunit *test)
{
	struct virtio_device *vdev = device(test, NULL);
	struct xgd_backend backend = { .domid = 5 };

	KUNIT_ASSERT_EQ(test, set(test, "backend", "default=4:copy,x=7"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), 0);
	KUNIT_EXPECT_EQ(test, backend.domid, 4);
	KUNIT_EXPECT_TRUE(test, backend.copy);
	KUNIT_EXPECT_STREQ(test, backend.source, "backend=default=4:copy");
	KUNIT_ASSERT_EQ(test, set(test, "force_grant", "1"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), 0);
	KUNIT_EXPECT_EQ(test, backend.domid, 4);
	KUNIT_ASSERT_EQ(test, set(test, "backend", "default=4,*=3"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), 0);
	KUNIT_EXPECT_EQ(test, backend.domid, 3);
	KUNIT_ASSERT_EQ(test, set(test, "backend", "default=none"), 0);
	KUNIT_EXPECT_EQ(test, xgd_backend_find(vdev, &backend), -ENODEV);
}

static struct kunit_case backend_cases[] = {
	KUNIT_CASE(backend_rules),
	KUNIT_CASE(backend_rules_no_memory),
	KUNIT_CASE(backend_other_params),
	KUNIT_CASE(backend_param),
	KUNIT_CASE(backend_pci),
	KUNIT_CASE(backend_passed_through),
	KUNIT_CASE(backend_force),
	KUNIT_CASE(backend_rest),
	{}
};

static struct kunit_suite backend_suite = {
	.name = "xgd_backend",
	.exit = backend_exit,
	.test_cases = backend_cases,
};

kunit_test_suite(backend_suite);
