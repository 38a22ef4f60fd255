// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of each virtio device of the system, and why: for those who look, since
 * the log is gone some day.
 *
 * The bus tells of devices that come and go. What is known of one goes before its
 * parent can.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/slab.h>

#include "verdict.h"

static DEFINE_MUTEX(xgd_known_lock);	/* protects the list and what is in it */
static LIST_HEAD(xgd_known_devices);
static typeof_member(struct device, bus) xgd_known_bus;

static struct xgd_known *xgd_known_find(const struct virtio_device *vdev)
{
	struct xgd_known *known;

	list_for_each_entry(known, &xgd_known_devices, list)
		if (known->vdev == vdev)
			return known;

	return NULL;
}

/* Without memory nobody gets to see the device, but all else goes on. */
static void xgd_known_add(struct virtio_device *vdev)
{
	struct xgd_known *known;

	mutex_lock(&xgd_known_lock);
	if (!xgd_known_find(vdev)) {
		known = kzalloc(sizeof(*known), GFP_KERNEL);
		if (known) {
			known->vdev = vdev;
			list_add_tail(&known->list, &xgd_known_devices);
		}
	}
	mutex_unlock(&xgd_known_lock);
}

static void xgd_known_free(struct xgd_known *known)
{
	list_del(&known->list);
	kfree(known->reason);
	kfree(known);
}

static void xgd_known_del(struct virtio_device *vdev)
{
	struct xgd_known *known;

	mutex_lock(&xgd_known_lock);
	known = xgd_known_find(vdev);
	if (known)
		xgd_known_free(known);
	mutex_unlock(&xgd_known_lock);
}

static int xgd_known_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == BUS_NOTIFY_ADD_DEVICE)
		xgd_known_add(dev_to_virtio(data));
	else if (event == BUS_NOTIFY_REMOVED_DEVICE)
		xgd_known_del(dev_to_virtio(data));

	return NOTIFY_OK;
}

static struct notifier_block xgd_known_nb = { .notifier_call = xgd_known_notify };

static int xgd_is_it(struct device *dev, const void *it)
{
	return dev == it;
}

/* The bus may have told of its end before anybody listened. */
static int xgd_known_walk(struct device *dev, void *data)
{
	struct device *there;

	xgd_known_add(dev_to_virtio(dev));
	there = bus_find_device(xgd_known_bus, NULL, dev, xgd_is_it);
	if (!there)
		xgd_known_del(dev_to_virtio(dev));
	put_device(there);

	return 0;
}

/**
 * xgd_verdict_init - know the virtio devices
 * @bus:	the bus that they are on
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int xgd_verdict_init(typeof_member(struct device, bus) bus)
{
	int ret;

	xgd_known_bus = bus;
	ret = bus_register_notifier(bus, &xgd_known_nb);
	if (ret)
		return ret;

	bus_for_each_dev(bus, NULL, NULL, xgd_known_walk);

	return 0;
}

/**
 * xgd_verdict_exit - forget them
 *
 * Context: process, may sleep.
 */
void xgd_verdict_exit(void)
{
	struct xgd_known *known, *next;

	bus_unregister_notifier(xgd_known_bus, &xgd_known_nb);
	mutex_lock(&xgd_known_lock);
	list_for_each_entry_safe(known, next, &xgd_known_devices, list)
		xgd_known_free(known);
	mutex_unlock(&xgd_known_lock);
}

/**
 * xgd_verdict_begin - begin to decide about a device
 * @vdev:	the device; what it was before holds until xgd_verdict_end()
 *
 * Context: process, may sleep.
 */
void xgd_verdict_begin(struct virtio_device *vdev)
{
	struct xgd_known *known;

	mutex_lock(&xgd_known_lock);
	known = xgd_known_find(vdev);
	if (known)
		known->deciding = true;
	mutex_unlock(&xgd_known_lock);
}

/**
 * xgd_verdict_end - a device was decided about
 * @vdev:	the device
 * @verdict:	what became of it; why was told by xgd_verdict_why() or xgd_refuse_err()
 *
 * Context: process, may sleep.
 */
void xgd_verdict_end(struct virtio_device *vdev, enum xgd_verdict verdict)
{
	struct xgd_known *known;

	mutex_lock(&xgd_known_lock);
	known = xgd_known_find(vdev);
	if (known) {
		known->verdict = verdict;
		known->deciding = false;
	}
	mutex_unlock(&xgd_known_lock);
}

static void xgd_note_reason(struct device *dev, char *reason)
{
	struct xgd_known *known;

	mutex_lock(&xgd_known_lock);
	list_for_each_entry(known, &xgd_known_devices, list) {
		if (known->vdev->dev.parent == dev && known->deciding) {
			swap(known->reason, reason);
			break;
		}
	}
	mutex_unlock(&xgd_known_lock);

	kfree(reason);
}

/**
 * xgd_verdict_why - note why a device gets the verdict that comes
 * @dev:	its parent
 * @fmt:	the reason
 *
 * Context: process, may sleep.
 */
void xgd_verdict_why(struct device *dev, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	xgd_note_reason(dev, kvasprintf(GFP_KERNEL, fmt, args));
	va_end(args);
}

/**
 * xgd_refuse_err - log why a device is refused, and note it
 * @dev:	its parent
 * @fmt:	the reason
 *
 * Context: process, may sleep.
 */
void xgd_refuse_err(struct device *dev, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	dev_err(dev, "refused: %pV\n", &vaf);
	xgd_note_reason(dev, kasprintf(GFP_KERNEL, "%pV", &vaf));
	va_end(args);
}

/**
 * xgd_known_for_each - call a function for each virtio device
 * @fn:		called with the list locked
 * @data:	handed to @fn
 *
 * Context: process, may sleep.
 */
void xgd_known_for_each(void (*fn)(const struct xgd_known *known, void *data), void *data)
{
	struct xgd_known *known;

	mutex_lock(&xgd_known_lock);
	list_for_each_entry(known, &xgd_known_devices, list)
		fn(known, data);
	mutex_unlock(&xgd_known_lock);
}
