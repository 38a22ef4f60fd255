// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which domain serves a device? A list of sources is asked in order, and the
 * first that knows decides.
 */
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <xen/xen.h>

#include "backend.h"
#include "compat/virtio.h"
#include "params.h"
#include "verdict.h"

/*
 * The drivers that find virtio devices in a guest are virtio-pci and virtio-mmio. Any
 * other parent is the device of a driver that knows nothing of virtio (vDPA), or none
 * that has to do with DMA (VDUSE), or memory of its own (remoteproc).
 */
static bool xgd_has_transport(struct virtio_device *vdev)
{
	const struct device_driver *driver = vdev->dev.parent->driver;

	return driver && str_has_prefix(driver->name, "virtio-") && !xgd_maps_itself(vdev);
}

/* A PCI device that pcifront shows to a PV guest is one of the machine below. */
static bool xgd_is_passed_through(struct device *dev)
{
	struct device *parent;

	if (!dev_is_pci(dev))
		return false;
	parent = pci_find_host_bridge(to_pci_dev(dev)->bus)->dev.parent;

	return parent && parent->bus && !strcmp(parent->bus->name, "xen");
}

/*
 * A PCI address may leave out its segment where that is 0. What no Xen backend serves
 * is not among "all".
 */
static bool xgd_selects(const char *selector, struct virtio_device *vdev,
			const struct xgd_backend *backend)
{
	struct device *dev = vdev->dev.parent;
	const char *name = dev_name(dev);

	if (!strcmp(selector, "*"))
		return !backend->foreign;
	if (!strcmp(selector, name) || !strcmp(selector, dev_name(&vdev->dev)))
		return true;

	return dev_is_pci(dev) && str_has_prefix(name, "0000:") &&
	       !strcmp(selector, name + strlen("0000:"));
}

static int xgd_follow(const struct xgd_rule *rule, struct xgd_backend *backend)
{
	backend->domid = rule->domid;
	backend->copy = rule->copy;
	backend->page = rule->page;
	snprintf(backend->source, sizeof(backend->source), "backend=%s", rule->text);

	return rule->none ? -ENODEV : 0;
}

/* The module parameter backend= overrides everything. */
static int xgd_backend_param(struct virtio_device *vdev, struct xgd_backend *backend)
{
	struct xgd_rule *rule;

	list_for_each_entry(rule, &xgd_backend_rules, list)
		if (xgd_selects(rule->selector, vdev, backend))
			return xgd_follow(rule, backend);

	return -ENOENT;
}

/* But for its entry for devices of which nothing else says anything. */
static int xgd_backend_rest(struct virtio_device *vdev, struct xgd_backend *backend)
{
	struct xgd_rule *rule;

	if (backend->foreign)
		return -ENOENT;

	list_for_each_entry(rule, &xgd_backend_rules, list)
		if (!strcmp(rule->selector, "default"))
			return xgd_follow(rule, backend);

	return -ENOENT;
}

/*
 * Would this kernel's own code, which this module has taken the place of, have forced
 * grants? It did not where there is a device tree, which it always believed.
 */
static bool xgd_kernel_forces(struct virtio_device *vdev)
{
	return IS_ENABLED(CONFIG_XEN_VIRTIO_FORCE_GRANT) && !xgd_in_tree(vdev);
}

/* Where nothing says more, dom0 is the backend, if grants are a must. */
static int xgd_backend_default(struct virtio_device *vdev, struct xgd_backend *backend)
{
	const char *why;

	if (xen_initial_domain() || backend->foreign)
		return -ENOENT;

	if (xen_pv_domain())
		why = "PV guest";
	else if (xgd_force_grant)
		why = "force_grant=1";
	else if (xgd_kernel_forces(vdev))
		why = "CONFIG_XEN_VIRTIO_FORCE_GRANT";
	else
		return -ENOENT;

	backend->domid = 0;
	strscpy(backend->source, why, sizeof(backend->source));

	return 0;
}

static int (*const xgd_backend_sources[])(struct virtio_device *vdev,
					  struct xgd_backend *backend) = {
	xgd_backend_param,
	xgd_backend_of,
	xgd_backend_xenstore,
	xgd_backend_rest,
	xgd_backend_default,
};

/**
 * xgd_backend_find - find the backend domain of a virtio device
 * @vdev:	the device
 * @backend:	the answer
 *
 * Context: process, may sleep.
 * Return: 0 when the device is to use grants for @backend; -ENODEV when it is
 * not to use grants; any other error when it must not come up, and the log has
 * the reason.
 */
int xgd_backend_find(struct virtio_device *vdev, struct xgd_backend *backend)
{
	struct device *dev = vdev->dev.parent;
	int ret = -ENOENT;
	unsigned int i;

	*backend = (struct xgd_backend) {};
	if (!xgd_has_transport(vdev))
		backend->foreign =
			"it is not on virtio-pci or virtio-mmio, so no Xen backend serves it";
	else if (xgd_is_passed_through(dev))
		backend->foreign = "it is passed through, so no Xen backend serves it";

	/* One decision is made by one set of rules. */
	mutex_lock(&xgd_backend_lock);
	for (i = 0; ret == -ENOENT && i < ARRAY_SIZE(xgd_backend_sources); i++)
		ret = xgd_backend_sources[i](vdev, backend);
	mutex_unlock(&xgd_backend_lock);
	if (!ret && !xgd_has_transport(vdev)) {
		xgd_refuse_err(dev, "%s, but %s says that one does", backend->foreign,
			       backend->source);
		return -EINVAL;
	}
	if (ret != -ENOENT)
		return ret;

	strscpy(backend->source, backend->foreign ?: "no backend is named",
		sizeof(backend->source));

	return -ENODEV;
}
