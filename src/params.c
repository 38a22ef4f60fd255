// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module parameters. They are set before anything else runs and do not
 * change afterwards. A value that makes no sense stops the load, and the log
 * says which part of it and what would be right.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "params.h"

LIST_HEAD(xgd_backend_rules);

static void xgd_free_rules(struct list_head *rules)
{
	struct xgd_rule *rule, *next;

	list_for_each_entry_safe(rule, next, rules, list)
		kfree(rule);
	INIT_LIST_HEAD(rules);
}

static int xgd_add_rule(struct list_head *rules, const char *selector, const char *value)
{
	struct xgd_rule *rule;
	u16 domid = 0;
	bool none = !strcmp(value, "none");

	if (!*selector || strpbrk(selector, " \t\n"))
		return -EINVAL;
	if (!none && (kstrtou16(value, 10, &domid) || domid >= DOMID_FIRST_RESERVED))
		return -EINVAL;

	rule = kzalloc(sizeof(*rule) + strlen(selector) + 1, GFP_KERNEL);
	if (!rule)
		return -ENOMEM;

	memcpy(rule->selector, selector, strlen(selector));
	rule->none = none;
	rule->domid = domid;
	list_add_tail(&rule->list, rules);

	return 0;
}

static int xgd_backend_set(const char *val, const struct kernel_param *kp)
{
	char *copy, *rest, *token, *value;
	LIST_HEAD(rules);
	int ret = 0;

	copy = kstrdup(val, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;

	rest = strim(copy);
	while (*rest && (token = strsep(&rest, ","))) {
		char *text = kstrdup(token, GFP_KERNEL);

		/* The last "=": a device name may have one. */
		value = strrchr(token, '=');
		if (value)
			*value++ = '\0';
		ret = value ? xgd_add_rule(&rules, token, value) : -EINVAL;
		if (ret == -EINVAL)
			pr_err("backend=: \"%s\" is not SELECTOR=DOMID or SELECTOR=none; SELECTOR: a PCI address, a device name or *; DOMID: 0 to %u\n",
			       text ?: token, DOMID_FIRST_RESERVED - 1);
		kfree(text);
		if (ret || !rest)
			break;
	}
	kfree(copy);

	if (ret) {
		xgd_free_rules(&rules);
	} else {
		xgd_free_rules(&xgd_backend_rules);
		list_splice(&rules, &xgd_backend_rules);
	}

	return ret;
}

static int xgd_backend_get(char *buffer, const struct kernel_param *kp)
{
	struct xgd_rule *rule;
	int len = 0;

	list_for_each_entry(rule, &xgd_backend_rules, list) {
		len += sysfs_emit_at(buffer, len, "%s%s=", len ? "," : "", rule->selector);
		if (rule->none)
			len += sysfs_emit_at(buffer, len, "none");
		else
			len += sysfs_emit_at(buffer, len, "%u", rule->domid);
	}

	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops xgd_backend_param = {
	.set = xgd_backend_set,
	.get = xgd_backend_get,
};

module_param_cb(backend, &xgd_backend_param, NULL, 0444);
MODULE_PARM_DESC(backend,
		 "backend domains: SELECTOR=DOMID or SELECTOR=none, comma-separated, first match wins; SELECTOR: PCI address, device name or * (default: empty)");

static int xgd_choice_set(const char *val, const struct kernel_param *kp)
{
	const struct xgd_choice *choice = kp->arg;
	unsigned int i;

	for (i = 0; i < choice->count; i++) {
		if (sysfs_streq(val, choice->words[i])) {
			*choice->value = i;
			return 0;
		}
	}

	pr_err("%s=: \"%s\" is not one of:\n", kp->name, val);
	for (i = 0; i < choice->count; i++)
		pr_err("%s=%s\n", kp->name, choice->words[i]);

	return -EINVAL;
}

static int xgd_choice_get(char *buffer, const struct kernel_param *kp)
{
	const struct xgd_choice *choice = kp->arg;

	return sysfs_emit(buffer, "%s\n", choice->words[*choice->value]);
}

const struct kernel_param_ops xgd_choice_param = {
	.set = xgd_choice_set,
	.get = xgd_choice_get,
};

static const char *const xgd_access_platform_words[] = {
	[XGD_ACCESS_PLATFORM_REQUIRE] = "require",
	[XGD_ACCESS_PLATFORM_PREFER] = "prefer",
};

int xgd_access_platform = XGD_ACCESS_PLATFORM_REQUIRE;

static const struct xgd_choice xgd_access_platform_choice = {
	.words = xgd_access_platform_words,
	.count = ARRAY_SIZE(xgd_access_platform_words),
	.value = &xgd_access_platform,
};

module_param_cb(access_platform, &xgd_choice_param,
		(void *)&xgd_access_platform_choice, 0444);
MODULE_PARM_DESC(access_platform,
		 "require: refuse a device that does not offer VIRTIO_F_ACCESS_PLATFORM; prefer: use grants all the same (default: require)");

static int xgd_isolation = XGD_ISOLATION_BYTE;

static const struct xgd_choice xgd_isolation_choice = {
	.words = xgd_isolation_names,
	.count = ARRAY_SIZE(xgd_isolation_names),
	.value = &xgd_isolation,
};

module_param_cb(isolation, &xgd_choice_param, (void *)&xgd_isolation_choice, 0444);
MODULE_PARM_DESC(isolation,
		 "byte: grant whole Xen pages in place and copy the rest, so that the backend gets the buffers and nothing else; page: grant every Xen page that a buffer touches; copy: copy everything (default: byte)");

static int xgd_number_set(const char *val, const struct kernel_param *kp)
{
	struct xgd_number *number = kp->arg;
	unsigned int value;

	if (kstrtouint(val, 10, &value) ||
	    ((value < number->min || value > number->max) && (value || !number->also))) {
		pr_err("%s=: \"%s\" is not a number from %u to %u%s\n", kp->name, val,
		       number->min, number->max, number->also ?: "");
		return -EINVAL;
	}
	number->value = value;

	return 0;
}

static int xgd_number_get(char *buffer, const struct kernel_param *kp)
{
	const struct xgd_number *number = kp->arg;

	return sysfs_emit(buffer, "%u\n", number->value);
}

const struct kernel_param_ops xgd_number_param = {
	.set = xgd_number_set,
	.get = xgd_number_get,
};

static struct xgd_number xgd_bounce_kb = { .min = SZ_1K, .max = SZ_1M, .value = SZ_16K };
module_param_cb(bounce_kb, &xgd_number_param, &xgd_bounce_kb, 0444);
MODULE_PARM_DESC(bounce_kb,
		 "KiB of private pages, for copies, that a device may have, 1024 to 1048576 (default: 16384)");

static struct xgd_number xgd_max_refs = {
	.min = SZ_1K, .max = SZ_16M, .also = ", or 0 for half of the grant table",
};
module_param_cb(max_refs, &xgd_number_param, &xgd_max_refs, 0444);
MODULE_PARM_DESC(max_refs,
		 "grant references that a device may have, 1024 or more, 0 for half of the grant table (default: 0)");

static int xgd_bool_set(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_bool(val, kp);

	if (ret)
		pr_err("%s=: \"%s\" is not 0 or 1\n", kp->name, val);

	return ret;
}

static const struct kernel_param_ops xgd_bool_param = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = xgd_bool_set,
	.get = param_get_bool,
};

#ifdef CONFIG_XEN_GRANT_DMA_FORCE
#define XGD_FORCE_DEFAULT	true
#define XGD_FORCE_DEFAULT_TEXT	"Y"
#else
#define XGD_FORCE_DEFAULT	false
#define XGD_FORCE_DEFAULT_TEXT	"N"
#endif

bool xgd_force_grant = XGD_FORCE_DEFAULT;
module_param_cb(force_grant, &xgd_bool_param, &xgd_force_grant, 0444);
MODULE_PARM_DESC(force_grant,
		 "grant to domain 0 where nothing else names a backend; PV guests always do, domain 0 itself never does (default: "
		 XGD_FORCE_DEFAULT_TEXT ")");

static bool xgd_rw_grants;
module_param_cb(rw_grants, &xgd_bool_param, &xgd_rw_grants, 0444);
MODULE_PARM_DESC(rw_grants,
		 "grant also what the backend needs only to read for writing, as some backends want it (default: N)");

bool xgd_rebind;
module_param_cb(rebind, &xgd_bool_param, &xgd_rebind, 0444);
MODULE_PARM_DESC(rebind,
		 "unbind and bind again the devices that got their driver before this module (default: N)");

bool xgd_take_over;
module_param_cb(take_over, &xgd_bool_param, &xgd_take_over, 0444);
MODULE_PARM_DESC(take_over,
		 "replace the kernel's own CONFIG_XEN_VIRTIO instead of refusing to load (default: N)");

/**
 * xgd_params_mode - what the parameters say of how devices are served
 * @mode:	the answer
 *
 * Context: any.
 */
void xgd_params_mode(struct xgd_mode *mode)
{
	*mode = (struct xgd_mode) {
		.isolation = xgd_isolation,
		.rw_grants = xgd_rw_grants,
		.max_refs = xgd_max_refs.value,
		.max_private = xgd_bounce_kb.value / (XEN_PAGE_SIZE / SZ_1K),
	};
}

/**
 * xgd_params_exit - free what the parameters hold
 *
 * Context: process.
 */
void xgd_params_exit(void)
{
	xgd_free_rules(&xgd_backend_rules);
}
