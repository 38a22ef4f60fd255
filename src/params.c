// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module parameters. They are set before anything else runs, and none but
 * backend= changes afterwards. A value that makes no sense stops the load, and the
 * log says which part of it and what would be right.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "params.h"

LIST_HEAD(xgd_backend_rules);
DEFINE_MUTEX(xgd_backend_lock);	/* protects the list */

/* The parameters are those that the module was loaded with no more: changes are news. */
static bool xgd_params_set;

static void xgd_free_rules(struct list_head *rules)
{
	struct xgd_rule *rule, *next;

	list_for_each_entry_safe(rule, next, rules, list)
		kfree(rule);
	INIT_LIST_HEAD(rules);
}

/**
 * xgd_param_words - call a function for each word of a list
 * @val:	words with commas between
 * @fn:		called with each word, which it may change; the first error ends this
 * @data:	handed to @fn
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM; what @fn returned.
 */
int xgd_param_words(const char *val, int (*fn)(char *word, void *data), void *data)
{
	char *copy, *rest, *word;
	int ret = 0;

	copy = kstrdup(val, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;

	rest = strim(copy);
	if (*rest)
		while (!ret && (word = strsep(&rest, ",")))
			ret = fn(word, data);
	kfree(copy);

	return ret;
}

/**
 * xgd_list_set - what kernel_param_ops have for a list
 * @val:	its value
 * @kp:		has the &struct xgd_list
 *
 * Of a module that is built in, parameters are set while nothing can be allocated. The
 * kernel keeps its command line, so such a value is left for xgd_list_early().
 *
 * Context: process, or early boot.
 * Return: 0 or what the list says.
 */
int xgd_list_set(const char *val, const struct kernel_param *kp)
{
	struct xgd_list *list = kp->arg;

	if (system_state < SYSTEM_SCHEDULING) {
		list->early = val;
		return 0;
	}

	return list->set(val);
}

/**
 * xgd_list_early - take what was set too early
 * @list:	the list
 *
 * Context: process, may sleep.
 * Return: 0 or what the list says.
 */
int xgd_list_early(struct xgd_list *list)
{
	return list->early ? list->set(list->early) : 0;
}

/**
 * xgd_parse_rule - what is behind the "=" of an entry
 * @value:	DOMID, DOMID:copy, DOMID:page or none; it is changed meanwhile
 * @rule:	what it says
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int xgd_parse_rule(char *value, struct xgd_rule *rule)
{
	char *option = strchr(value, ':');
	int ret;

	rule->none = !strcmp(value, "none");
	rule->copy = option && !strcmp(option, ":copy");
	rule->page = option && !strcmp(option, ":page");
	if (rule->none)
		return 0;
	if (option && !rule->copy && !rule->page)
		return -EINVAL;

	if (option)
		*option = '\0';
	ret = kstrtou16(value, 10, &rule->domid);
	if (option)
		*option = ':';

	return ret || rule->domid >= DOMID_FIRST_RESERVED ? -EINVAL : 0;
}

static int xgd_add_rule(char *word, void *rules)
{
	/* The last "=": a device name may have one. */
	char *value = strrchr(word, '=');
	struct xgd_rule *rule = NULL;
	size_t len = value ? value - word : 0;
	int ret = -EINVAL;

	if (!len || strcspn(word, " \t\n") < len)
		goto err;

	rule = kzalloc(sizeof(*rule) + len + 1 + strlen(word) + 1, GFP_KERNEL);
	if (!rule)
		return -ENOMEM;

	memcpy(rule->selector, word, len);
	rule->text = rule->selector + len + 1;
	memcpy(rule->text, word, strlen(word));
	ret = xgd_parse_rule(value + 1, rule);
	if (ret)
		goto err;
	list_add_tail(&rule->list, rules);

	return 0;

err:
	pr_err("backend=: \"%s\" is not SELECTOR=DOMID, SELECTOR=DOMID:copy, SELECTOR=DOMID:page or SELECTOR=none; SELECTOR: a PCI address, a device name or *; DOMID: 0 to %u\n",
	       word, DOMID_FIRST_RESERVED - 1);
	kfree(rule);
	return ret;
}

static void xgd_replace_rules(struct list_head *rules)
{
	LIST_HEAD(old);

	mutex_lock(&xgd_backend_lock);
	list_splice_init(&xgd_backend_rules, &old);
	list_splice(rules, &xgd_backend_rules);
	mutex_unlock(&xgd_backend_lock);

	xgd_free_rules(&old);
}

static int xgd_backend_set(const char *val)
{
	LIST_HEAD(rules);
	int ret;

	ret = xgd_param_words(val, xgd_add_rule, &rules);
	if (ret) {
		xgd_free_rules(&rules);
		return ret;
	}
	xgd_replace_rules(&rules);
	if (xgd_params_set)
		pr_info("backend= is now \"%.*s\", for devices that get their driver from here on\n",
			(int)strcspn(val, "\n"), val);

	return 0;
}

/* The kernel lets nobody write meanwhile. */
static int xgd_backend_get(char *buffer, const struct kernel_param *kp)
{
	struct xgd_rule *rule;
	int len = 0;

	list_for_each_entry(rule, &xgd_backend_rules, list)
		len += sysfs_emit_at(buffer, len, "%s%s", len ? "," : "", rule->text);

	return len + sysfs_emit_at(buffer, len, "\n");
}

/* By the kernel, when the module goes, and also when it does not come as far as its init. */
static void xgd_backend_free(void *arg)
{
	xgd_free_rules(&xgd_backend_rules);
}

static struct xgd_list xgd_backend_list = { .set = xgd_backend_set };

static const struct kernel_param_ops xgd_backend_param = {
	.set = xgd_list_set,
	.get = xgd_backend_get,
	.free = xgd_backend_free,
};

module_param_cb(backend, &xgd_backend_param, &xgd_backend_list, 0600);
MODULE_PARM_DESC(backend,
		 "backend domains: SELECTOR=DOMID, SELECTOR=DOMID:copy (for these devices, copy=always), SELECTOR=DOMID:page (isolation=page) or SELECTOR=none, comma-separated, first match wins; SELECTOR: PCI address, device name, * or, for what nothing else names, default; can be written at any time, for the drivers that are bound next (default: empty)");

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
		 "byte: grant whole Xen pages in place and copy the rest, so that the backend gets the buffers and nothing else; page: grant every Xen page that a buffer touches (default: byte)");

static const char *const xgd_copy_words[] = { "needed", "always" };

static int xgd_copy_always;

static const struct xgd_choice xgd_copy_choice = {
	.words = xgd_copy_words,
	.count = ARRAY_SIZE(xgd_copy_words),
	.value = &xgd_copy_always,
};

module_param_cb(copy, &xgd_choice_param, (void *)&xgd_copy_choice, 0444);
MODULE_PARM_DESC(copy,
		 "needed: copy what isolation= or copy_max= wants copied; always: copy all data, through pages that stay granted while the driver is bound (default: needed)");

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

struct xgd_number xgd_keep_refs = {
	.min = 1, .max = SZ_16M, .also = ", or 0 for an eighth of the grant table",
};
module_param_cb(keep_refs, &xgd_number_param, &xgd_keep_refs, 0444);
MODULE_PARM_DESC(keep_refs,
		 "grant references that all devices together leave to others, as PV drivers, 1 or more, 0 for an eighth of the grant table (default: 0)");

static struct xgd_number xgd_copy_max = { .max = XGD_COPY_MAX };
module_param_cb(copy_max, &xgd_number_param, &xgd_copy_max, 0444);
MODULE_PARM_DESC(copy_max,
		 "copy also what could be granted, up to so many bytes, 0 to 262144 (default: 0)");

static struct xgd_number xgd_ring_entries = {
	.min = SZ_256, .max = SZ_32K, .also = ", or 0 for as many as the device says",
	.value = SZ_256,
};
module_param_cb(ring_entries, &xgd_number_param, &xgd_ring_entries, 0444);
MODULE_PARM_DESC(ring_entries,
		 "entries that a ring may have, 256 to 32768; small copies lie behind rings then, where QEMU maps them at no cost; 0: as many as the device says, and nothing behind them (default: 256)");

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

static bool xgd_mark_lasting;
module_param_cb(mark_lasting, &xgd_bool_param, &xgd_mark_lasting, 0444);
MODULE_PARM_DESC(mark_lasting,
		 "tell backends of devices with copy=always, or :copy, by bit 62 of addresses that references last; only for backends that know it (default: N)");

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
		.copy = xgd_copy_always,
		.copy_max = xgd_copy_max.value,
		.ring_entries = xgd_ring_entries.value,
		.mark_lasting = xgd_mark_lasting,
		.rw_grants = xgd_rw_grants,
		.max_refs = xgd_max_refs.value,
		.max_private = xgd_bounce_kb.value / (XEN_PAGE_SIZE / SZ_1K),
	};
}

/**
 * xgd_params_early - take what was set too early
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error: a value makes no sense.
 */
int xgd_params_early(void)
{
	return xgd_list_early(&xgd_backend_list);
}

/**
 * xgd_params_init - what is set from here on changes what is in force
 *
 * Context: process, may sleep.
 */
void xgd_params_init(void)
{
	kernel_param_lock(THIS_MODULE);
	xgd_params_set = true;
	kernel_param_unlock(THIS_MODULE);
}
