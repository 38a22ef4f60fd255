// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which backend domains are ready, and which devices wait for one that is not.
 *
 * A device waits by deferring its probe, before its driver has touched anything. The
 * kernel tries deferred devices again whenever some device gets a driver: when a
 * domain becomes ready a dummy device gets a dummy driver. The domain is marked
 * before, so a probe that saw it not ready has begun before, and the kernel notices
 * that a device was bound meanwhile: no wake-up is lost.
 *
 * A device of which nobody asks here waits for a gate: another dummy device, of which it
 * is a consumer to the kernel (a device link), and which never gets a driver. When the
 * domain becomes ready the gate is removed, and the link with it.
 *
 * While a device waits the module stays. Without it the device would come up as soon
 * as the kernel tries it again, and nobody may be there to serve it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "ready.h"

static DEFINE_MUTEX(xgd_ready_lock);	/* protects all that is below */
static LIST_HEAD(xgd_domains);
static unsigned int xgd_limit;		/* wait_timeout=, in seconds; 0: none */
static bool xgd_limit_probe;		/* have devices probed then */

/* ---- waking up ---- */

static struct platform_driver xgd_kick_driver = {
	.driver = {
		.name = "xen-grant-dma-kick",
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

static int xgd_kick_once(void)
{
	struct platform_device *pdev;
	int ret;

	ret = platform_driver_register(&xgd_kick_driver);
	if (ret)
		return ret;

	pdev = platform_device_register_simple(xgd_kick_driver.driver.name,
					       PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(pdev))
		platform_device_unregister(pdev);
	platform_driver_unregister(&xgd_kick_driver);

	return PTR_ERR_OR_ZERO(pdev);
}

/* A gate that is to be opened: the caller has it. */
static struct platform_device *xgd_take_gate(void)
{
	struct platform_device *gate = NULL;
	struct xgd_ready *ready;

	mutex_lock(&xgd_ready_lock);
	list_for_each_entry(ready, &xgd_domains, list) {
		if (!ready->ready || !ready->gate)
			continue;
		gate = ready->gate;
		ready->gate = NULL;
		break;
	}
	mutex_unlock(&xgd_ready_lock);

	return gate;
}

static void xgd_kick(struct work_struct *work)
{
	struct platform_device *gate;
	struct xgd_ready *ready;
	int ret;

	/* Without the lock: the bus tells about it, and gate.c listens. */
	while ((gate = xgd_take_gate()))
		platform_device_unregister(gate);

	ret = xgd_kick_once();
	if (ret)
		pr_err("cannot wake waiting devices: %d; binding any driver does\n", ret);

	mutex_lock(&xgd_ready_lock);
	list_for_each_entry(ready, &xgd_domains, list) {
		if (!ready->ready || !ready->pinned)
			continue;
		ready->pinned = false;
		module_put(THIS_MODULE);
	}
	mutex_unlock(&xgd_ready_lock);
}

static DECLARE_WORK(xgd_kick_work, xgd_kick);

static void xgd_mark_ready(struct xgd_ready *ready, const char *signal)
{
	lockdep_assert_held(&xgd_ready_lock);

	if (ready->ready)
		return;

	ready->ready = true;
	strscpy(ready->signal, signal, sizeof(ready->signal));
	pr_info("domain %u is ready, by %s\n", ready->domid, ready->signal);
	/* Who signals may hold locks that binding a driver needs. */
	queue_work(system_long_wq, &xgd_kick_work);
}

/* ---- the domains ---- */

static void xgd_ready_timeout(struct work_struct *work)
{
	struct xgd_ready *ready = container_of(to_delayed_work(work), struct xgd_ready, timeout);

	mutex_lock(&xgd_ready_lock);
	if (!ready->ready) {
		ready->gave_up = true;
		pr_warn("domain %u is not ready after %u s: its devices are %s\n",
			ready->domid, xgd_limit,
			xgd_limit_probe ? "probed all the same" : "left alone until it is");
		if (xgd_limit_probe)
			xgd_mark_ready(ready, "wait_timeout=");
	}
	mutex_unlock(&xgd_ready_lock);
}

static struct xgd_ready *xgd_find_domain(u32 domid)
{
	struct xgd_ready *ready;

	list_for_each_entry(ready, &xgd_domains, list)
		if (ready->domid == domid)
			return ready;

	return NULL;
}

static struct xgd_ready *xgd_get_domain(domid_t domid)
{
	struct xgd_ready *ready = xgd_find_domain(domid);

	if (ready)
		return ready;

	ready = kzalloc(sizeof(*ready), GFP_KERNEL);
	if (!ready)
		return NULL;

	ready->domid = domid;
	INIT_DELAYED_WORK(&ready->timeout, xgd_ready_timeout);
	INIT_LIST_HEAD(&ready->devices);
	list_add_tail(&ready->list, &xgd_domains);

	return ready;
}

/* Remember a device that waits, and tell about it, the first time. */
static void xgd_add_waiter(struct xgd_ready *ready, struct device *dev)
{
	const char *name = dev_name(dev);
	struct xgd_waiter *waiter;

	list_for_each_entry(waiter, &ready->devices, list)
		if (!strcmp(waiter->name, name))
			return;

	dev_info(dev, "waits until domain %u is ready, by %s\n", ready->domid, ready->source);

	waiter = kzalloc(sizeof(*waiter) + strlen(name) + 1, GFP_KERNEL);
	if (!waiter)
		return;
	memcpy(waiter->name, name, strlen(name));
	list_add_tail(&waiter->list, &ready->devices);
}

/**
 * xgd_ready_wait_for - have devices wait for a domain
 * @domid:	the domain
 * @source:	what says so, for people
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int xgd_ready_wait_for(domid_t domid, const char *source)
{
	struct xgd_ready *ready;

	mutex_lock(&xgd_ready_lock);
	ready = xgd_get_domain(domid);
	if (ready && !ready->waits) {
		ready->waits = true;
		strscpy(ready->source, source, sizeof(ready->source));
	}
	mutex_unlock(&xgd_ready_lock);

	return ready ? 0 : -ENOMEM;
}

/**
 * xgd_ready_set - a domain is ready, once and for all
 * @domid:	the domain
 * @signal:	what says so, for people
 *
 * Its devices come up soon after.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int xgd_ready_set(domid_t domid, const char *signal)
{
	struct xgd_ready *ready;

	mutex_lock(&xgd_ready_lock);
	ready = xgd_get_domain(domid);
	if (ready)
		xgd_mark_ready(ready, signal);
	mutex_unlock(&xgd_ready_lock);

	return ready ? 0 : -ENOMEM;
}

/* A device waits from now on, or still does. */
static void xgd_waits(struct xgd_ready *ready, struct device *dev)
{
	xgd_add_waiter(ready, dev);
	if (ready->pinned)
		return;

	ready->pinned = true;
	__module_get(THIS_MODULE);
	ready->since = jiffies;
	if (xgd_limit)
		queue_delayed_work(system_long_wq, &ready->timeout, xgd_limit * HZ);
}

/**
 * xgd_ready_gate - make the gate of a domain, for xgd_ready_hold()
 * @domid:	the domain
 *
 * To be called before anybody can tell that the domain is ready.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int xgd_ready_gate(domid_t domid)
{
	struct platform_device *gate;
	struct xgd_ready *ready;

	mutex_lock(&xgd_ready_lock);
	ready = xgd_get_domain(domid);
	mutex_unlock(&xgd_ready_lock);
	if (!ready)
		return -ENOMEM;
	if (ready->gate)
		return 0;

	/* Without the lock, as where it is removed. */
	gate = platform_device_register_simple("xen-domain", domid, NULL, 0);
	if (IS_ERR(gate))
		return PTR_ERR(gate);

	mutex_lock(&xgd_ready_lock);
	ready->gate = gate;
	if (!ready->waits)
		strscpy(ready->source, "wait=", sizeof(ready->source));
	mutex_unlock(&xgd_ready_lock);

	return 0;
}

/**
 * xgd_ready_hold - have a device wait that has no driver yet
 * @dev:	the device
 * @domid:	the domain of its backend, which has a gate or is ready
 *
 * Context: process, may sleep.
 */
void xgd_ready_hold(struct device *dev, domid_t domid)
{
	struct xgd_ready *ready;

	mutex_lock(&xgd_ready_lock);
	ready = xgd_find_domain(domid);
	if (ready && ready->gate && !ready->ready) {
		if (device_link_add(dev, &ready->gate->dev, 0))
			xgd_waits(ready, dev);
		else
			dev_err(dev, "cannot wait for domain %u: no memory\n", domid);
	}
	mutex_unlock(&xgd_ready_lock);
}

/**
 * xgd_ready_check - may a device be probed?
 * @dev:	the device
 * @domid:	the domain of its backend; any number
 *
 * Source: driver_deferred_probe_trigger() and driver_probe_device() of Linux.
 *
 * Context: process, may sleep; the caller holds a reference to the module.
 * Return: 0 or -EPROBE_DEFER.
 */
int xgd_ready_check(struct device *dev, u32 domid)
{
	struct xgd_ready *ready;
	bool gave_up;

	mutex_lock(&xgd_ready_lock);
	ready = xgd_find_domain(domid);
	if (!ready || !ready->waits || ready->ready) {
		mutex_unlock(&xgd_ready_lock);
		return 0;
	}

	/* Later kernels ask about devices that nobody probes, too: these do not wait. */
	if (!dev->driver) {
		mutex_unlock(&xgd_ready_lock);
		return -EPROBE_DEFER;
	}

	xgd_waits(ready, dev);
	gave_up = ready->gave_up;
	mutex_unlock(&xgd_ready_lock);

	return dev_err_probe(dev, -EPROBE_DEFER, "waits until domain %u is ready%s\n",
			     domid, gave_up ? ", longer than wait_timeout=" : "");
}

/**
 * xgd_ready_for_each - visit all domains that devices wait for or that are ready
 * @fn:		is called with each and @data; may sleep
 * @data:	for @fn
 *
 * Context: process, may sleep.
 */
void xgd_ready_for_each(void (*fn)(struct xgd_ready *ready, void *data), void *data)
{
	struct xgd_ready *ready;

	mutex_lock(&xgd_ready_lock);
	list_for_each_entry(ready, &xgd_domains, list)
		fn(ready, data);
	mutex_unlock(&xgd_ready_lock);
}

/**
 * xgd_ready_limit - limit the time that devices wait
 * @seconds:	from when the first device of a domain waits; 0 for no limit
 * @probe:	what then: have the devices probed, instead of leaving them alone
 *
 * To be called before any device waits.
 *
 * Context: process, may sleep.
 */
void xgd_ready_limit(unsigned int seconds, bool probe)
{
	xgd_limit = seconds;
	xgd_limit_probe = probe;
}

/**
 * xgd_ready_exit - forget the domains
 *
 * No device waits, and nobody signals any more.
 *
 * Context: process, may sleep.
 */
void xgd_ready_exit(void)
{
	struct xgd_waiter *waiter, *next_waiter;
	struct xgd_ready *ready, *next;
	LIST_HEAD(domains);

	/* Somebody may be reading ready=, which is there until the module is not. */
	mutex_lock(&xgd_ready_lock);
	list_splice_init(&xgd_domains, &domains);
	mutex_unlock(&xgd_ready_lock);

	list_for_each_entry(ready, &domains, list)
		cancel_delayed_work_sync(&ready->timeout);
	cancel_work_sync(&xgd_kick_work);

	list_for_each_entry_safe(ready, next, &domains, list) {
		list_for_each_entry_safe(waiter, next_waiter, &ready->devices, list)
			kfree(waiter);
		if (ready->gate)
			platform_device_unregister(ready->gate);
		kfree(ready);
	}
}
