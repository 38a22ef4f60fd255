// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which backend domains to wait for, and for which signals: what the user says, by
 * parameters or in the device tree.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <xen/interface/event_channel.h>

#include "gate.h"
#include "params.h"
#include "ready.h"
#include "signal.h"
#include "wait.h"

/* How many domains wait= can name, and how many devices. */
#define XGD_WAIT_MAX	16

/**
 * struct xgd_wait - a domain to wait for
 * @domid:	the domain
 * @port:	this guest's end of an event channel from there; 0 for none
 */
struct xgd_wait {
	domid_t		domid;
	evtchn_port_t	port;
};

/**
 * struct xgd_waits - what wait= says
 * @waits:	domains whose devices wait
 * @nr_waits:	how many
 * @gated:	devices that wait by name
 * @nr_gated:	how many
 */
struct xgd_waits {
	struct xgd_wait		waits[XGD_WAIT_MAX];
	unsigned int		nr_waits;
	struct xgd_gated	gated[XGD_WAIT_MAX];
	unsigned int		nr_gated;
};

static struct xgd_waits xgd_waits;

/* Whether ready= can be written; kernel_param_lock() protects it. */
static bool xgd_wait_on;

static int xgd_parse_domid(const char *text, domid_t *domid)
{
	u16 value;

	if (kstrtou16(text, 10, &value) || value >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	*domid = value;

	return 0;
}

/* DEVICE=DOMID, split at the last "=" */
static int xgd_add_gated(char *name, char *domid, struct xgd_waits *waits)
{
	struct xgd_gated *gated;

	if (waits->nr_gated == XGD_WAIT_MAX)
		return -ENOSPC;
	gated = &waits->gated[waits->nr_gated++];
	if (!*name || strscpy(gated->name, name, sizeof(gated->name)) < 0)
		return -EINVAL;

	return xgd_parse_domid(domid, &gated->domid);
}

/* DOMID, DOMID:PORT or DEVICE=DOMID */
static int xgd_add_wait(char *word, void *data)
{
	char *value = strrchr(word, '=');
	struct xgd_waits *waits = data;
	struct xgd_wait *wait;
	char *domid;

	if (value) {
		*value++ = '\0';
		return xgd_add_gated(word, value, waits);
	}

	if (waits->nr_waits == XGD_WAIT_MAX)
		return -ENOSPC;
	wait = &waits->waits[waits->nr_waits++];
	domid = strsep(&word, ":");
	wait->port = 0;
	if (word && (kstrtou32(word, 10, &wait->port) || !wait->port))
		return -EINVAL;

	return xgd_parse_domid(domid, &wait->domid);
}

static int xgd_wait_set(const char *val)
{
	int ret;

	xgd_waits.nr_waits = 0;
	xgd_waits.nr_gated = 0;
	ret = xgd_param_words(val, xgd_add_wait, &xgd_waits);
	if (ret == -ENOSPC)
		pr_err("wait=: more than %u domains or devices\n", XGD_WAIT_MAX);
	else if (ret == -EINVAL)
		pr_err("wait=: \"%s\" is not DOMID, DOMID:PORT or DEVICE=DOMID, with commas between; DOMID: 0 to %u; PORT: of an event channel; DEVICE: the name of a platform device\n",
		       val, DOMID_FIRST_RESERVED - 1);

	return ret == -ENOSPC ? -EINVAL : ret;
}

static int xgd_wait_get(char *buffer, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < xgd_waits.nr_waits; i++) {
		len += sysfs_emit_at(buffer, len, "%s%u", len ? "," : "", xgd_waits.waits[i].domid);
		if (xgd_waits.waits[i].port)
			len += sysfs_emit_at(buffer, len, ":%u", xgd_waits.waits[i].port);
	}
	for (i = 0; i < xgd_waits.nr_gated; i++)
		len += sysfs_emit_at(buffer, len, "%s%s=%u", len ? "," : "",
				     xgd_waits.gated[i].name, xgd_waits.gated[i].domid);

	return len + sysfs_emit_at(buffer, len, "\n");
}

static struct xgd_list xgd_wait_list = { .set = xgd_wait_set };

static const struct kernel_param_ops xgd_wait_param = {
	.set = xgd_list_set,
	.get = xgd_wait_get,
};

module_param_cb(wait, &xgd_wait_param, &xgd_wait_list, 0444);
MODULE_PARM_DESC(wait,
		 "backend domains whose devices wait until the domain is ready: DOMID or DOMID:PORT, comma-separated; PORT: this guest's port of an event channel by which the domain tells; DEVICE=DOMID for a platform device of which the device tree does not say that it uses grants (default: empty)");

static int xgd_ready_param_set(const char *val, const struct kernel_param *kp)
{
	domid_t domid;
	char *copy;
	int ret;

	if (!xgd_wait_on) {
		pr_err("ready=: write it to /sys/module/%s/parameters/ready\n", KBUILD_MODNAME);
		return -EINVAL;
	}

	copy = kstrdup(val, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	ret = xgd_parse_domid(strim(copy), &domid);
	if (ret)
		pr_err("ready=: \"%s\" is not the id of a domain\n", strim(copy));
	kfree(copy);

	return ret ?: xgd_ready_set(domid, "ready=");
}

/* sysfs wants one page at most. */
struct xgd_emit {
	char	*buffer;
	int	len;
};

static void xgd_emit_ready(struct xgd_ready *ready, void *data)
{
	struct xgd_emit *emit = data;

	if (ready->ready)
		emit->len += sysfs_emit_at(emit->buffer, emit->len, "%s%u",
					   emit->len ? "," : "", ready->domid);
}

static int xgd_ready_param_get(char *buffer, const struct kernel_param *kp)
{
	struct xgd_emit emit = { .buffer = buffer };

	xgd_ready_for_each(xgd_emit_ready, &emit);

	return emit.len + sysfs_emit_at(buffer, emit.len, "\n");
}

static const struct kernel_param_ops xgd_ready_param = {
	.set = xgd_ready_param_set,
	.get = xgd_ready_param_get,
};

module_param_cb(ready, &xgd_ready_param, NULL, 0644);
MODULE_PARM_DESC(ready, "the backend domains that are ready; write the id of one to say so (default: none)");

static struct xgd_number xgd_wait_timeout = {
	.min = 1, .max = 86400, .also = ", or 0 for no limit",
};
module_param_cb(wait_timeout, &xgd_number_param, &xgd_wait_timeout, 0444);
MODULE_PARM_DESC(wait_timeout,
		 "seconds that devices wait for their backend domain, 1 to 86400, 0 for no limit (default: 0)");

enum { XGD_THEN_LEAVE, XGD_THEN_PROBE };

static const char *const xgd_wait_then_words[] = {
	[XGD_THEN_LEAVE] = "leave",
	[XGD_THEN_PROBE] = "probe",
};

static int xgd_wait_then = XGD_THEN_LEAVE;

static const struct xgd_choice xgd_wait_then_choice = {
	.words = xgd_wait_then_words,
	.count = ARRAY_SIZE(xgd_wait_then_words),
	.value = &xgd_wait_then,
};

module_param_cb(wait_then, &xgd_choice_param, (void *)&xgd_wait_then_choice, 0444);
MODULE_PARM_DESC(wait_then,
		 "what to do after wait_timeout=: leave: the devices wait on, the log tells; probe: as if the domain were ready (default: leave)");

/* The same for both ways to say it. */
static void xgd_wait_for(const struct xgd_wait *wait, const char *source)
{
	if (xgd_ready_wait_for(wait->domid, source) || xgd_signal_xenstore(wait->domid))
		pr_err("cannot wait for domain %u: no memory\n", wait->domid);
	if (wait->port)
		xgd_signal_evtchn(wait->domid, wait->port);
}

/**
 * xgd_wait_for_node - wait for the domains that a provider node names
 * @dev:	of the node
 *
 * Source: docs/waiting.md.
 *
 * Context: process, may sleep.
 */
void xgd_wait_for_node(struct device *dev)
{
	static const char name[] = "xen,backend-ready";
	int i, count = of_property_count_u32_elems(dev->of_node, name);
	struct xgd_wait wait;
	char source[64];
	u32 domid;

	if (count == -EINVAL)
		return;

	snprintf(source, sizeof(source), "%s of %pOF", name, dev->of_node);
	for (i = 0; i + 1 < count; i += 2) {
		of_property_read_u32_index(dev->of_node, name, i, &domid);
		of_property_read_u32_index(dev->of_node, name, i + 1, &wait.port);
		if (domid >= DOMID_FIRST_RESERVED) {
			dev_err(dev, "%s: %u is not the id of a domain\n", source, domid);
			continue;
		}
		wait.domid = domid;
		xgd_wait_for(&wait, source);
	}
	if (count < 0 || i != count)
		dev_err(dev, "%s is not a list of domain and port\n", source);
}

/**
 * xgd_wait_early - take what was set too early
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error: a value makes no sense.
 */
int xgd_wait_early(void)
{
	return xgd_list_early(&xgd_wait_list);
}

/**
 * xgd_wait_init - wait for the domains that the user named
 *
 * Context: process, may sleep.
 */
void xgd_wait_init(void)
{
	unsigned int i;
	int ret;

	xgd_ready_limit(xgd_wait_timeout.value, xgd_wait_then == XGD_THEN_PROBE);
	/* Before any domain can be ready. */
	ret = xgd_gate_init(xgd_waits.gated, xgd_waits.nr_gated);
	if (ret)
		pr_err("devices cannot wait by name: %d\n", ret);
	for (i = 0; i < xgd_waits.nr_waits; i++)
		xgd_wait_for(&xgd_waits.waits[i], "wait=");
	for (i = 0; i < xgd_waits.nr_gated; i++)
		if (xgd_signal_xenstore(xgd_waits.gated[i].domid))
			pr_err("domain %u cannot tell by xenstore: no memory\n",
			       xgd_waits.gated[i].domid);

	kernel_param_lock(THIS_MODULE);
	xgd_wait_on = true;
	kernel_param_unlock(THIS_MODULE);
}

/**
 * xgd_wait_exit - forget them
 *
 * Context: process, may sleep.
 */
void xgd_wait_exit(void)
{
	kernel_param_lock(THIS_MODULE);
	xgd_wait_on = false;
	kernel_param_unlock(THIS_MODULE);

	xgd_gate_exit();
	xgd_signal_evtchn_exit();
	xgd_signal_xenstore_exit();
	xgd_ready_exit();
}
