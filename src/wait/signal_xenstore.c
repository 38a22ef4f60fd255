// SPDX-License-Identifier: GPL-2.0-only
/*
 * A backend domain tells by xenstore that it is ready: dom0 writes 1 to
 * data/virtio-ready/DOMID in the guest's own folder, the only place that the guest
 * can be sure to read.
 *
 * xenstore may come late, as under dom0less, or never: nothing depends on it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/notifier.h>
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "ready.h"
#include "signal.h"

#define XGD_KEY_FOLDER	"data/virtio-ready"

/**
 * struct xgd_key - a key by which a domain tells
 * @list:	in xgd_keys
 * @nb:		is called when xenstore is there
 * @watch:	on the key
 * @watched:	@watch is registered
 * @domid:	the domain
 * @name:	the key
 */
struct xgd_key {
	struct list_head	list;
	struct notifier_block	nb;
	struct xenbus_watch	watch;
	bool			watched;
	domid_t			domid;
	char			name[sizeof(XGD_KEY_FOLDER) + 6];
};

static DEFINE_MUTEX(xgd_keys_lock);
static LIST_HEAD(xgd_keys);

/* Runs once at the start, too. */
static void xgd_key_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct xgd_key *key = container_of(watch, struct xgd_key, watch);
	char signal[40];

	if (xenbus_read_unsigned(XGD_KEY_FOLDER, strrchr(key->name, '/') + 1, 0) != 1)
		return;

	snprintf(signal, sizeof(signal), "xenstore %s", key->name);
	xgd_ready_set(key->domid, signal);
}

static int xgd_xenstore_up(struct notifier_block *nb, unsigned long event, void *data)
{
	struct xgd_key *key = container_of(nb, struct xgd_key, nb);
	int ret;

	ret = register_xenbus_watch(&key->watch);
	if (ret)
		pr_err("cannot watch %s in xenstore: %d\n", key->name, ret);
	key->watched = !ret;

	return NOTIFY_DONE;
}

static bool xgd_has_key(domid_t domid)
{
	struct xgd_key *key;

	list_for_each_entry(key, &xgd_keys, list)
		if (key->domid == domid)
			return true;

	return false;
}

static int xgd_add_key(domid_t domid)
{
	struct xgd_key *key = kzalloc(sizeof(*key), GFP_KERNEL);

	if (!key)
		return -ENOMEM;

	key->domid = domid;
	snprintf(key->name, sizeof(key->name), XGD_KEY_FOLDER "/%u", domid);
	key->watch.node = key->name;
	key->watch.callback = xgd_key_changed;
	key->nb.notifier_call = xgd_xenstore_up;
	list_add_tail(&key->list, &xgd_keys);

	return register_xenstore_notifier(&key->nb);
}

/**
 * xgd_signal_xenstore - have a domain tell by xenstore
 * @domid:	the domain, which may be given more than once
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int xgd_signal_xenstore(domid_t domid)
{
	int ret = 0;

	mutex_lock(&xgd_keys_lock);
	if (!xgd_has_key(domid))
		ret = xgd_add_key(domid);
	mutex_unlock(&xgd_keys_lock);

	return ret;
}

/**
 * xgd_signal_xenstore_exit - watch no more
 *
 * Context: process, may sleep.
 */
void xgd_signal_xenstore_exit(void)
{
	struct xgd_key *key, *next;

	list_for_each_entry_safe(key, next, &xgd_keys, list) {
		unregister_xenstore_notifier(&key->nb);
		if (key->watched)
			unregister_xenbus_watch(&key->watch);
		kfree(key);
	}
	INIT_LIST_HEAD(&xgd_keys);
}
