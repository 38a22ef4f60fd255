// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device's state: from its first binding until the backend has
 * let go of the last page, which may be long after the device is gone.
 */
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "bounce.h"
#include "device.h"
#include "dma.h"
#include "refs.h"
#include "revoke.h"
#include "room.h"

/* As the parameter isolation= and debugfs have them. */
const char *const xgd_isolation_names[XGD_ISOLATIONS] = {
	[XGD_ISOLATION_BYTE] = "byte",
	[XGD_ISOLATION_PAGE] = "page",
};

static DEFINE_MUTEX(xgd_devices_lock);
static LIST_HEAD(xgd_devices);
static DEFINE_IDA(xgd_ids);

static void xgd_device_release(struct kref *kref)
{
	struct xgd_device *xd = container_of(kref, struct xgd_device, kref);

	mutex_lock(&xgd_devices_lock);
	list_del(&xd->list);
	mutex_unlock(&xgd_devices_lock);

	ida_free(&xgd_ids, xd->id);
	put_device(xd->dev);
	xgd_room_exit(xd);
	xgd_bounce_exit(xd);
	free_percpu(xd->cpu);
	kfree(xd);
	module_put(THIS_MODULE);
}

/**
 * xgd_device_create - make the state of a DMA device
 * @dev:	the DMA device; a reference to it is held as long as the state lives
 * @domid:	its backend domain
 * @source:	where @domid came from
 * @mode:	how it is to be served
 *
 * The state keeps the module loaded. The caller owns one reference and gives
 * it up with xgd_device_put().
 *
 * Context: process, may sleep.
 * Return: the state, or an ERR_PTR: -ENOMEM; -ENOSPC after 65535 devices;
 * -ENODEV when the module is being unloaded.
 */
struct xgd_device *xgd_device_create(struct device *dev, domid_t domid, const char *source,
				     const struct xgd_mode *mode)
{
	struct xgd_device *xd;
	int id;

	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);

	xd = kzalloc(sizeof(*xd), GFP_KERNEL);
	if (!xd) {
		id = -ENOMEM;
		goto err_module;
	}

	xd->cpu = alloc_percpu(struct xgd_cpu);
	if (!xd->cpu) {
		id = -ENOMEM;
		goto err_free;
	}

	/* 0 in the reference table means: not of this module. */
	id = ida_alloc_range(&xgd_ids, 1, U16_MAX, GFP_KERNEL);
	if (id < 0)
		goto err_cpu;

	xd->dev = get_device(dev);
	xd->domid = domid;
	xd->id = id;
	strscpy(xd->source, source, sizeof(xd->source));
	xd->mode = *mode;
	kref_init(&xd->kref);
	xd->release = xgd_device_release;
	xgd_refs_init_device(xd);
	xgd_bounce_init(xd);
	spin_lock_init(&xd->rooms.lock);
	xgd_revoke_init(xd);
	xgd_dma_init(xd);

	mutex_lock(&xgd_devices_lock);
	list_add_tail(&xd->list, &xgd_devices);
	mutex_unlock(&xgd_devices_lock);

	return xd;

err_cpu:
	free_percpu(xd->cpu);
err_free:
	kfree(xd);
err_module:
	module_put(THIS_MODULE);
	return ERR_PTR(id);
}

/**
 * xgd_device_for_each - call a function for each device, in order of creation
 * @fn:		called with the list locked
 * @data:	handed to @fn
 *
 * Context: process, may sleep.
 */
void xgd_device_for_each(void (*fn)(struct xgd_device *xd, void *data), void *data)
{
	struct xgd_device *xd;

	mutex_lock(&xgd_devices_lock);
	list_for_each_entry(xd, &xgd_devices, list)
		fn(xd, data);
	mutex_unlock(&xgd_devices_lock);
}

/**
 * xgd_device_visit_stopped - the same while nothing else runs
 * @fn:		called for each device
 * @data:	handed to @fn
 *
 * Whoever holds the lock of the list has to wait, too: at each of its steps the
 * list can be read.
 *
 * Context: one CPU, interrupts off, as in a syscore callback.
 */
void xgd_device_visit_stopped(void (*fn)(struct xgd_device *xd, void *data), void *data)
{
	struct xgd_device *xd;

	list_for_each_entry(xd, &xgd_devices, list)
		fn(xd, data);
}
