// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the driver meets virtio.
 *
 * The virtio core asks virtio_check_mem_acc_cb() whether a device has only
 * restricted access to memory, just before it hands the device to its driver.
 * That is the moment to decide: the driver has mapped nothing yet. The DMA ops
 * of the device's parent are set then, and taken back when the driver is gone,
 * and all that was its own is.
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
#include <linux/workqueue.h>

#include "anchor.h"
#include "backend.h"
#include "compat/virtio.h"
#include "data/bounce.h"
#include "data/device.h"
#include "data/dma.h"
#include "data/revoke.h"
#include "params.h"
#include "verdict.h"

/* How long an unbind waits for the backend: QEMU takes some 50 ms. */
#define XGD_DETACH_WAIT_MS	2000

/**
 * struct xgd_leaving - a DMA device that may be on its way out of this module's code
 * @work:	waits until it is out
 * @dev:	the DMA device; a reference to it is held
 */
struct xgd_leaving {
	struct work_struct	work;
	struct device		*dev;
};

/**
 * struct xgd_binding - a virtio device that has a driver and uses grants
 * @xd:		what serves its parent
 * @leaving:	for when the driver is gone
 *
 * It is a resource of the virtio device, the first since the probe began, so it is
 * released after all that the driver has left to be released for it. The kernel does
 * so when the driver is unbound, and when its probe fails.
 */
struct xgd_binding {
	struct xgd_device	*xd;
	struct xgd_leaving	*leaving;
};

typedef bool (*xgd_check_fn)(struct virtio_device *vdev);

static DEFINE_MUTEX(xgd_anchor_lock);	/* protects attaching */
static xgd_check_fn xgd_chained;	/* the callback that was there before */
static typeof_member(struct device, bus) xgd_virtio_bus;
static struct workqueue_struct *xgd_leave_queue;

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

/* Set the operations of a DMA device; another virtio device may have done so. */
static int xgd_attach_parent(struct device *dev, const struct xgd_backend *backend,
			     struct xgd_device **attached)
{
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
		*attached = xd;
		return 0;
	}

	if (xgd_uses_iommu(dev)) {
		xgd_refuse_err(dev, "an IOMMU translates for it, so it cannot use grants");
		return -EBUSY;
	}

	if (xgd_has_own_memory(dev)) {
		xgd_refuse_err(dev, "it has memory of its own for its rings (shared-dma-pool), which cannot be granted");
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
	*attached = xd;

	return 0;

err_device:
	xgd_revoke_all(xd);
	xgd_device_put(xd);
	return ret;
}

static bool xgd_detach_parent(struct xgd_device *xd)
{
	struct device *dev = xd->dev;

	if (--xd->users)
		return false;

	xd->attached = false;
	set_dma_ops(dev, xd->saved_ops);
	/* Also sets right again which syncs the DMA core leaves out. */
	if (dma_set_mask(dev, xd->saved_mask))
		dev_warn(dev, "cannot restore its DMA mask\n");
	dev->coherent_dma_mask = xd->saved_coherent_mask;

	return true;
}

/*
 * Who removes a virtio device, and with that unbinds it, holds the lock of its parent.
 */
static void xgd_leave(struct work_struct *work)
{
	struct xgd_leaving *leaving = container_of(work, struct xgd_leaving, work);

	device_lock(leaving->dev);
	device_unlock(leaving->dev);
	put_device(leaving->dev);
	kfree(leaving);
}

/* The driver is gone, and all that was its own. */
static void xgd_unbound(struct device *dev, void *res)
{
	struct xgd_binding *binding = res;
	struct xgd_device *xd = binding->xd;
	unsigned int count;
	bool last;

	mutex_lock(&xgd_anchor_lock);
	last = xgd_detach_parent(xd);
	mutex_unlock(&xgd_anchor_lock);

	if (last) {
		count = xgd_revoke_all(xd);
		if (count)
			dev_dbg(xd->dev, "the driver left %u mappings, which are revoked\n",
				count);
		xgd_revoke_wait(xd, XGD_DETACH_WAIT_MS);
	}
	/* Nothing keeps the module any more then, but it waits for this. */
	queue_work(xgd_leave_queue, &binding->leaving->work);
	if (last)
		xgd_device_put(xd);
}

static struct xgd_binding *xgd_find_binding(struct virtio_device *vdev)
{
	return devres_find(&vdev->dev, xgd_unbound, NULL, NULL);
}

static int xgd_attach(struct virtio_device *vdev, const struct xgd_backend *backend)
{
	struct device *dev = vdev->dev.parent;
	struct xgd_leaving *leaving;
	struct xgd_binding *binding;
	int ret = -ENOMEM;

	leaving = kzalloc(sizeof(*leaving), GFP_KERNEL);
	binding = devres_alloc(xgd_unbound, sizeof(*binding), GFP_KERNEL);
	if (!leaving || !binding) {
		xgd_refuse_err(dev, "no memory");
		goto err;
	}

	ret = xgd_attach_parent(dev, backend, &binding->xd);
	if (ret)
		goto err;

	INIT_WORK(&leaving->work, xgd_leave);
	leaving->dev = get_device(dev);
	binding->leaving = leaving;
	devres_add(&vdev->dev, binding);

	return 0;

err:
	devres_free(binding);
	kfree(leaving);
	return ret;
}

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

/* A driver comes: is the device to have grants, and can it? */
static enum xgd_verdict xgd_decide(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;
	struct xgd_backend backend;
	int ret;

	ret = xgd_backend_find(vdev, &backend);
	/* Its operations stay when its driver goes, and so does what they know. */
	if (ret == -ENODEV && xgd_has_own_grants(dev)) {
		dev_info(dev, "left to the kernel's own grants, which it had before\n");
		xgd_verdict_why(dev, "it had the kernel's own grants before");
		return XGD_KERNEL;
	}
	if (ret == -ENODEV) {
		if (*backend.source)
			dev_info(dev, "no grants: %s\n", backend.source);
		xgd_note_plain(dev, &backend);
		return XGD_PLAIN;
	}
	if (ret || !xgd_check_features(vdev) || xgd_attach(vdev, &backend))
		return XGD_REFUSED;
	dev_info(dev, "grants to domain %u, by %s\n", backend.domid, backend.source);

	return XGD_GRANTED;
}

/* Asked again after a freeze or a reset: nothing is decided anew. */
static enum xgd_verdict xgd_still(struct virtio_device *vdev, struct xgd_device *xd)
{
	xgd_tell_kept(xd);

	return xgd_check_features(vdev) ? XGD_GRANTED : XGD_REFUSED;
}

/*
 * The callback: has this device restricted access to memory? Whoever asks holds
 * the lock of the device, or of its parent (a freeze or a reset).
 */
static bool xgd_check_mem_acc(struct virtio_device *vdev)
{
	bool comes = vdev->dev.links.status == DL_DEV_PROBING;
	enum xgd_verdict verdict = XGD_PLAIN;
	struct xgd_binding *binding;

	mutex_lock(&xgd_anchor_lock);
	binding = comes ? NULL : xgd_find_binding(vdev);
	if (comes || binding) {
		xgd_verdict_begin(vdev);
		verdict = comes ? xgd_decide(vdev) : xgd_still(vdev, binding->xd);
		xgd_verdict_end(vdev, verdict);
	}
	mutex_unlock(&xgd_anchor_lock);

	return verdict == XGD_REFUSED ? xgd_refuse(vdev) : xgd_ask_chained(vdev);
}

/*
 * The parent of a virtio device that has a driver, and a reference to it. A device that
 * is being removed may have none any more; it has lost its driver before.
 */
static struct device *xgd_get_parent(struct device *dev)
{
	struct device *parent = NULL;

	device_lock(dev);
	/* device_is_bound() is not exported everywhere. */
	if (dev->links.status == DL_DEV_DRIVER_BOUND)
		parent = get_device(dev->parent);
	device_unlock(dev);

	return parent;
}

/*
 * What is a device that has its driver since before the load? Without rebind=1 it is
 * left alone, and the log tells if it would have got something else.
 */
static enum xgd_verdict xgd_decide_bound(struct virtio_device *vdev, struct device *parent)
{
	struct xgd_backend backend;
	char would[XGD_SOURCE_LEN + 40];
	int ret;

	ret = xgd_backend_find(vdev, &backend);
	if (ret == -ENODEV) {
		xgd_note_plain(parent, &backend);
		return XGD_PLAIN;
	}
	if (xgd_has_own_grants(parent)) {
		if (!xgd_rebind)
			dev_info(parent, "served by the kernel's own grants: it got its driver before this module; unbind and bind it, or use rebind=1\n");
		xgd_verdict_why(parent, "it got its driver before this module");
		return XGD_KERNEL;
	}
	if (ret)
		strscpy(would, "would have refused it", sizeof(would));
	else
		snprintf(would, sizeof(would), "would grant to domain %u, by %s",
			 backend.domid, backend.source);
	xgd_verdict_why(parent, "it got its driver before this module, which %s", would);
	if (!xgd_rebind)
		dev_warn(parent, "left without grants: it got its driver before this module, which %s; %s, or use rebind=1\n",
			 would, ret ? "unbind it" : "unbind and bind it");

	return XGD_LEFT;
}

static void xgd_rebind_device(struct device *dev, struct device *parent)
{
	struct virtio_device *vdev = dev_to_virtio(dev);
	enum xgd_verdict verdict;
	int ret;

	xgd_verdict_begin(vdev);
	verdict = xgd_decide_bound(vdev, parent);
	xgd_verdict_end(vdev, verdict);
	if (verdict == XGD_PLAIN || !xgd_rebind)
		return;
	dev_info(parent, "unbinding and binding its driver again, as rebind=1 says\n");
	ret = device_reprobe(dev);
	if (ret < 0)
		dev_err(parent, "binding its driver again failed: %d\n", ret);
}

static int xgd_check_bound(struct device *dev, void *data)
{
	struct device *parent = xgd_get_parent(dev);

	/* Those that came meanwhile have been decided for. */
	if (parent && !xgd_find_binding(dev_to_virtio(dev)))
		xgd_rebind_device(dev, parent);
	put_device(parent);

	return 0;
}

/*
 * Who is in the callback, or releases a binding, leaves it. A device that is off its
 * bus is past that, see also xgd_leave().
 */
static int xgd_wait_out(struct device *dev, void *data)
{
	/* A driver is probed or unbound with the lock of the device. */
	struct device *parent = xgd_get_parent(dev);

	/* After a freeze or a reset the callback runs with that of its parent. */
	if (parent) {
		device_lock(parent);
		device_unlock(parent);
		put_device(parent);
	}

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

static int xgd_visit(struct device *dev, void *data)
{
	void (*fn)(struct virtio_device *vdev, struct xgd_device *xd) = data;
	struct virtio_device *vdev = dev_to_virtio(dev);
	struct xgd_binding *binding;

	/* Its driver may be probed or unbound. */
	device_lock(dev);
	binding = xgd_find_binding(vdev);
	if (binding)
		fn(vdev, binding->xd);
	device_unlock(dev);

	return 0;
}

/**
 * xgd_anchor_visit - call a function for each virtio device that uses grants
 * @fn:	the function
 *
 * Context: process, may sleep. The device is locked meanwhile.
 */
void xgd_anchor_visit(void (*fn)(struct virtio_device *vdev, struct xgd_device *xd))
{
	/* The system may go down before there is anything to visit. */
	if (xgd_virtio_bus)
		bus_for_each_dev(xgd_virtio_bus, NULL, fn, xgd_visit);
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

	xgd_leave_queue = alloc_workqueue("xen_grant_dma_leave", WQ_UNBOUND, 0);
	if (!xgd_leave_queue)
		return -ENOMEM;

	ret = xgd_verdict_init(xgd_virtio_bus);
	if (ret) {
		destroy_workqueue(xgd_leave_queue);
		return ret;
	}

	xgd_chained = virtio_check_mem_acc_cb;
	virtio_set_mem_acc_cb(xgd_check_mem_acc);

	bus_for_each_dev(xgd_virtio_bus, NULL, NULL, xgd_check_bound);

	return 0;
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
	WARN_ON(virtio_check_mem_acc_cb != xgd_check_mem_acc);
	virtio_set_mem_acc_cb(xgd_chained);
	bus_for_each_dev(xgd_virtio_bus, NULL, NULL, xgd_wait_out);
	destroy_workqueue(xgd_leave_queue);
	xgd_verdict_exit();
}
