// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that wait because the user named them: those that the device tree does not
 * put behind a "xen,grant-dma" node, so that nobody asks this module before their
 * driver touches them.
 *
 * Each is made a consumer of the gate of its backend's domain, see ready.c. That is to
 * happen before its driver comes, so all that is there is looked at when the module is
 * loaded, and what comes later when the bus tells.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "gate.h"
#include "ready.h"

static const struct xgd_gated *xgd_gated;
static unsigned int xgd_nr_gated;

static const struct xgd_gated *xgd_find_gated(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < xgd_nr_gated; i++)
		if (!strcmp(xgd_gated[i].name, dev_name(dev)))
			return &xgd_gated[i];

	return NULL;
}

/* Nothing has matched a driver to the device yet. */
static int xgd_gate_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct xgd_gated *gated;

	if (event == BUS_NOTIFY_ADD_DEVICE) {
		gated = xgd_find_gated(data);
		if (gated)
			xgd_ready_hold(data, gated->domid);
	}

	return NOTIFY_OK;
}

static struct notifier_block xgd_gate_nb = { .notifier_call = xgd_gate_notify };

static int xgd_gate_check(struct device *dev, void *data)
{
	const struct xgd_gated *gated = xgd_find_gated(dev);

	if (!gated)
		return 0;

	/* Whoever binds a driver holds this, too. */
	device_lock(dev);
	if (dev->driver)
		dev_warn(dev, "does not wait for domain %u: it got its driver before this module\n",
			 gated->domid);
	else
		xgd_ready_hold(dev, gated->domid);
	device_unlock(dev);

	return 0;
}

/**
 * xgd_gate_init - have devices wait by name
 * @gated:	which, and for which domain; it stays
 * @count:	how many
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int xgd_gate_init(const struct xgd_gated *gated, unsigned int count)
{
	unsigned int i;
	int ret;

	if (!count)
		return 0;

	for (i = 0; i < count; i++) {
		ret = xgd_ready_gate(gated[i].domid);
		if (ret)
			return ret;
	}
	xgd_gated = gated;
	xgd_nr_gated = count;
	ret = bus_register_notifier(&platform_bus_type, &xgd_gate_nb);
	if (ret) {
		xgd_nr_gated = 0;
		return ret;
	}

	return bus_for_each_dev(&platform_bus_type, NULL, NULL, xgd_gate_check);
}

/**
 * xgd_gate_exit - devices that come from now on do not wait
 *
 * Context: process, may sleep.
 */
void xgd_gate_exit(void)
{
	if (xgd_nr_gated)
		bus_unregister_notifier(&platform_bus_type, &xgd_gate_nb);
}
