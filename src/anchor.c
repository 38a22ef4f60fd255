// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the driver meets virtio.
 *
 * The virtio core asks virtio_check_mem_acc_cb() whether a device has only
 * restricted access to memory, just before it hands the device to its driver.
 * That is the moment to decide: the driver has mapped nothing yet. The DMA ops
 * of the device's parent are set then, and taken back when the driver is gone,
 * which the bus tells.
 *
 * Fail closed: the core refuses a restricted device without
 * VIRTIO_F_ACCESS_PLATFORM before its driver sees it. So a device that must use
 * grants and cannot is stripped of that feature.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_anchor.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "anchor.h"
#include "backend.h"
#include "bounce.h"
#include "compat/virtio.h"
#include "device.h"
#include "dma.h"
#include "params.h"
#include "revoke.h"
#include "verdict.h"

/* How long an unbind waits for the backend: QEMU takes some 50 ms. */
#define XGD_DETACH_WAIT_MS	2000

/**
 * struct xgd_binding - a virtio device that has a driver
 * @list:	in xgd_bindings
 * @vdev:	the device
 * @xd:		what serves its parent; NULL for a device that is left alone
 */
struct xgd_binding {
	struct list_head	list;
	struct virtio_device	*vdev;
	struct xgd_device	*xd;
};

typedef bool (*xgd_check_fn)(struct virtio_device *vdev);

static DEFINE_MUTEX(xgd_anchor_lock);	/* protects the list and attaching */
static LIST_HEAD(xgd_bindings);
static xgd_check_fn xgd_chained;	/* the callback that was there before */
static typeof_member(struct device, bus) xgd_virtio_bus;

static struct xgd_binding *xgd_find_binding(struct virtio_device *vdev)
{
	struct xgd_binding *binding;

	list_for_each_entry(binding, &xgd_bindings, list)
		if (binding->vdev == vdev)
			return binding;

	return NULL;
}

/* From here on until the driver is gone nothing is decided anew. */
static struct xgd_binding *xgd_add_binding(struct virtio_device *vdev)
{
	struct xgd_binding *binding = kzalloc(sizeof(*binding), GFP_KERNEL);

	if (binding) {
		binding->vdev = vdev;
		list_add_tail(&binding->list, &xgd_bindings);
	}

	return binding;
}

static void xgd_del_binding(struct xgd_binding *binding)
{
	list_del(&binding->list);
	kfree(binding);
}

static bool xgd_ask_chained(struct virtio_device *vdev)
{
	/* Taking over from CONFIG_XEN_VIRTIO means not asking it any more. */
	return IS_ENABLED(CONFIG_XEN_VIRTIO) ? false : xgd_chained(vdev);
}

static bool xgd_refuse(struct virtio_device *vdev)
{
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);

	return true;
}

/* Is a device, which is served already, served as another on it is to be? */
static bool xgd_serves_as_well(const struct xgd_device *xd, domid_t domid,
			       const struct xgd_mode *mode)
{
	return xd->domid == domid && xd->mode.isolation == mode->isolation &&
	       (READ_ONCE(xd->mode.copy) || !mode->copy);
}

static int xgd_attach(struct xgd_binding *binding, const struct xgd_backend *backend)
{
	struct device *dev = binding->vdev->dev.parent;
	struct xgd_device *xd = xgd_device_of(dev);
	struct xgd_mode mode;
	int ret;

	xgd_params_mode(&mode);
	mode.copy |= backend->copy;
	if (backend->page) {
		mode.isolation = XGD_ISOLATION_PAGE;
		mode.copy = false;
		mode.copy_max = 0;
	}

	if (xd) {
		if (!xgd_serves_as_well(xd, backend->domid, &mode)) {
			xgd_refuse_err(dev, "another virtio device has the same parent, which is served in another way: by grants to domain %u, by %s",
				       xd->domid, xd->source);
			return -EBUSY;
		}
		xd->users++;
		binding->xd = xd;
		return 0;
	}

	if (xgd_uses_iommu(dev)) {
		xgd_refuse_err(dev, "an IOMMU translates for it, so it cannot use grants");
		return -EBUSY;
	}

	xd = xgd_device_create(dev, backend->domid, backend->source, &mode);
	if (IS_ERR(xd)) {
		xgd_refuse_err(dev, "cannot set up grants to domain %u: %pe", backend->domid, xd);
		return PTR_ERR(xd);
	}

	if (xd->mode.copy_max && xgd_bounce_reserve(xd)) {
		xgd_refuse_err(dev, "no memory or no grant references for its private pages");
		ret = -ENOMEM;
		goto err_device;
	}

	xd->saved_ops = dev->dma_ops;
	xd->saved_mask = dma_get_mask(dev);
	xd->saved_coherent_mask = dev->coherent_dma_mask;
	set_dma_ops(dev, &xd->ops);

	/* With the new ops in place this also has them called for every sync. */
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret) {
		xgd_refuse_err(dev, "it cannot address 64 bits, which grants need");
		set_dma_ops(dev, xd->saved_ops);
		goto err_device;
	}

	xd->users = 1;
	xd->attached = true;
	binding->xd = xd;

	return 0;

err_device:
	xgd_revoke_all(xd);
	xgd_device_put(xd);
	return ret;
}

/* Called without the lock: it may wait for the backend. */
static void xgd_detach(struct xgd_device *xd)
{
	unsigned int count = xgd_revoke_all(xd);

	if (count)
		dev_dbg(xd->dev, "the driver left %u mappings, which are revoked\n", count);
	xgd_revoke_wait(xd, XGD_DETACH_WAIT_MS);
	xgd_device_put(xd);
}

static void xgd_unbound(struct virtio_device *vdev)
{
	struct xgd_device *xd = NULL;
	struct xgd_binding *binding;
	struct device *dev;

	mutex_lock(&xgd_anchor_lock);
	binding = xgd_find_binding(vdev);
	if (binding) {
		xd = binding->xd;
		xgd_del_binding(binding);
	}
	if (xd && !--xd->users) {
		dev = xd->dev;
		xd->attached = false;
		set_dma_ops(dev, xd->saved_ops);
		/* Also sets right again which syncs the DMA core leaves out. */
		if (dma_set_mask(dev, xd->saved_mask))
			dev_warn(dev, "cannot restore its DMA mask\n");
		dev->coherent_dma_mask = xd->saved_coherent_mask;
	} else {
		xd = NULL;
	}
	mutex_unlock(&xgd_anchor_lock);

	if (xd)
		xgd_detach(xd);
}

static int xgd_bus_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == BUS_NOTIFY_UNBOUND_DRIVER || event == BUS_NOTIFY_DRIVER_NOT_BOUND)
		xgd_unbound(dev_to_virtio(data));

	return NOTIFY_OK;
}

static struct notifier_block xgd_bus_nb = { .notifier_call = xgd_bus_notify };

/*
 * Is what the device offers, and its driver takes, enough? The driver may have taken
 * away what it cannot do: virtio_balloon does.
 */
static bool xgd_check_features(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;

	if (vdev->id.device == VIRTIO_ID_BALLOON) {
		xgd_refuse_err(dev, "a balloon tells its backend the addresses of pages, which grants cannot stand for; without grants: backend=%s=none%s",
			       dev_name(dev), xgd_offers(vdev, VIRTIO_F_ACCESS_PLATFORM) ?
			       ", and no iommu_platform=on in QEMU" : "");
		return false;
	}
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		xgd_refuse_err(dev, "a legacy device cannot use grants; have the backend offer VIRTIO_F_VERSION_1 (QEMU: disable-legacy=on)");
		return false;
	}
	if (virtio_has_feature(vdev, VIRTIO_F_ACCESS_PLATFORM))
		return true;

	if (xgd_offers(vdev, VIRTIO_F_ACCESS_PLATFORM)) {
		xgd_refuse_err(dev, "it offers VIRTIO_F_ACCESS_PLATFORM, but its driver, %s, does not take it",
			       vdev->dev.driver->name);
		return false;
	}
	if (xgd_access_platform == XGD_ACCESS_PLATFORM_REQUIRE) {
		xgd_refuse_err(dev, "it does not offer VIRTIO_F_ACCESS_PLATFORM (QEMU: iommu_platform=on); access_platform=prefer uses grants all the same");
		return false;
	}

	return true;
}

/*
 * The device is thawed, or goes on after a reset: its rings are forgotten, and its
 * driver has set up nothing yet. What is mapped now is of no use any more, but the
 * backend can reach it.
 */
static void xgd_tell_kept(struct xgd_device *xd)
{
	u64 kept = xgd_mappings(xd);

	if (kept)
		dev_warn(xd->dev, "its driver kept %llu mappings for domain %u across a freeze or reset\n",
			 kept, xd->domid);
}

/* Nobody is told in the log of what a map leaves out. */
static void xgd_note_plain(struct device *dev, const struct xgd_backend *backend)
{
	xgd_verdict_why(dev, "%s",
			*backend->source ? backend->source : "the device tree leaves it out");
}

/* The first time that a driver wants it: is it to have grants, and can it? */
static enum xgd_verdict xgd_decide(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;
	struct xgd_binding *binding;
	struct xgd_backend backend;
	int ret;

	binding = xgd_add_binding(vdev);
	if (!binding) {
		xgd_refuse_err(dev, "no memory");
		return XGD_REFUSED;
	}

	ret = xgd_backend_find(vdev, &backend);
	if (ret == -ENODEV) {
		if (*backend.source)
			dev_info(dev, "no grants: %s\n", backend.source);
		xgd_note_plain(dev, &backend);
		return XGD_PLAIN;
	}
	if (ret || !xgd_check_features(vdev) || xgd_attach(binding, &backend)) {
		xgd_del_binding(binding);
		return XGD_REFUSED;
	}
	dev_info(dev, "grants to domain %u, by %s\n", backend.domid, backend.source);

	return XGD_GRANTED;
}

/* Asked again after a freeze or a reset: nothing is decided anew. */
static enum xgd_verdict xgd_still(struct virtio_device *vdev, struct xgd_device *xd)
{
	xgd_tell_kept(xd);

	return xgd_check_features(vdev) ? XGD_GRANTED : XGD_REFUSED;
}

/* The callback: has this device restricted access to memory? */
static bool xgd_check_mem_acc(struct virtio_device *vdev)
{
	enum xgd_verdict verdict = XGD_PLAIN;
	struct xgd_binding *binding;

	mutex_lock(&xgd_anchor_lock);
	binding = xgd_find_binding(vdev);
	if (!binding || binding->xd) {
		xgd_verdict_begin(vdev);
		verdict = binding ? xgd_still(vdev, binding->xd) : xgd_decide(vdev);
		xgd_verdict_end(vdev, verdict);
	}
	mutex_unlock(&xgd_anchor_lock);

	return verdict == XGD_REFUSED ? xgd_refuse(vdev) : xgd_ask_chained(vdev);
}

/*
 * What became of a device that has its driver since before the load? Without rebind=1
 * it is left alone, and the log tells if it would have got something else.
 */
static enum xgd_verdict xgd_decide_bound(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;
	struct xgd_backend backend;
	char would[XGD_SOURCE_LEN + 40];
	int ret;

	ret = xgd_backend_find(vdev, &backend);
	if (ret == -ENODEV) {
		xgd_note_plain(dev, &backend);
		return XGD_PLAIN;
	}
	if (ret)
		strscpy(would, "would have refused it", sizeof(would));
	else
		snprintf(would, sizeof(would), "would grant to domain %u, by %s",
			 backend.domid, backend.source);
	xgd_verdict_why(dev, "it got its driver before this module, which %s", would);
	if (!xgd_rebind)
		dev_warn(dev, "left without grants: it got its driver before this module, which %s; %s, or use rebind=1\n",
			 would, ret ? "unbind it" : "unbind and bind it");

	return XGD_LEFT;
}

static int xgd_check_bound(struct device *dev, void *data)
{
	struct virtio_device *vdev = dev_to_virtio(dev);
	enum xgd_verdict verdict;
	bool bound;
	int ret;

	device_lock(dev);
	mutex_lock(&xgd_anchor_lock);
	bound = dev->driver && !xgd_find_binding(vdev);
	if (bound && !xgd_add_binding(vdev))
		pr_warn("no memory to remember that %s is bound\n", dev_name(dev));
	mutex_unlock(&xgd_anchor_lock);
	device_unlock(dev);

	if (!bound)
		return 0;
	xgd_verdict_begin(vdev);
	verdict = xgd_decide_bound(vdev);
	xgd_verdict_end(vdev, verdict);
	if (verdict == XGD_PLAIN || !xgd_rebind)
		return 0;
	dev_info(dev->parent, "unbinding and binding its driver again, as rebind=1 says\n");
	ret = device_reprobe(dev);
	if (ret < 0)
		dev_err(dev->parent, "binding its driver again failed: %d\n", ret);

	return 0;
}

/* Not exported, but every driver on the bus knows it. */
static int xgd_find_virtio_bus(void)
{
	static const struct virtio_device_id no_ids[] = { { 0 } };
	static struct virtio_driver probe = {
		.driver.name = KBUILD_MODNAME,
		.id_table = no_ids,
	};
	int ret;

	ret = register_virtio_driver(&probe);
	if (ret)
		return ret;

	xgd_virtio_bus = probe.driver.bus;
	unregister_virtio_driver(&probe);

	return 0;
}

/**
 * xgd_anchor_init - begin to decide for virtio devices
 *
 * Devices whose driver is bound already are reported, or bound again.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error, and then nothing has changed.
 */
int xgd_anchor_init(void)
{
	int ret;

	ret = xgd_find_virtio_bus();
	if (ret)
		return ret;

	ret = bus_register_notifier(xgd_virtio_bus, &xgd_bus_nb);
	if (ret)
		return ret;

	ret = xgd_verdict_init(xgd_virtio_bus);
	if (ret)
		goto err_notifier;

	xgd_chained = virtio_check_mem_acc_cb;
	virtio_set_mem_acc_cb(xgd_check_mem_acc);

	bus_for_each_dev(xgd_virtio_bus, NULL, NULL, xgd_check_bound);

	return 0;

err_notifier:
	bus_unregister_notifier(xgd_virtio_bus, &xgd_bus_nb);
	return ret;
}

/**
 * xgd_anchor_exit - stop deciding
 *
 * No device is attached: each keeps the module loaded.
 *
 * Context: process, may sleep.
 */
void xgd_anchor_exit(void)
{
	struct xgd_binding *binding, *next;

	WARN_ON(virtio_check_mem_acc_cb != xgd_check_mem_acc);
	virtio_set_mem_acc_cb(xgd_chained);
	/* A probe on another CPU may be inside the callback. */
	wait_for_device_probe();

	xgd_verdict_exit();
	bus_unregister_notifier(xgd_virtio_bus, &xgd_bus_nb);
	list_for_each_entry_safe(binding, next, &xgd_bindings, list)
		kfree(binding);
}
