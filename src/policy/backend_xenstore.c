// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend's domain in xenstore: data/virtio-grants/NAME in the guest's own
 * folder has what backend= has behind the "=". The toolstack writes it, and so can
 * root in the guest, who is also the one to say whom the guest grants to.
 *
 * Nothing waits for xenstore: where it is not up yet, or never will be, it says
 * nothing.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "backend.h"
#include "params.h"
#include "verdict.h"

#define XGD_GRANTS_FOLDER	"data/virtio-grants"

/* As much of a wrong value as the log shows. */
#define XGD_VALUE_SHOWN		32

static bool xgd_xenstore_is_up;

static int xgd_xenstore_comes(struct notifier_block *nb, unsigned long event, void *data)
{
	WRITE_ONCE(xgd_xenstore_is_up, true);

	return NOTIFY_DONE;
}

static struct notifier_block xgd_xenstore_nb = { .notifier_call = xgd_xenstore_comes };

/* The names of keys have no ":" and no ".". */
static void xgd_key_name(char *key, size_t size, const char *name)
{
	strscpy(key, name, size);
	for (; *key; key++)
		if (!isascii(*key) || !isalnum(*key))
			*key = '-';
}

static int xgd_follow_key(struct device *dev, char *value, struct xgd_backend *backend)
{
	int shown = min_t(size_t, strlen(value), XGD_VALUE_SHOWN);
	struct xgd_rule rule;

	if (xgd_parse_rule(value, &rule)) {
		xgd_refuse_err(dev, "%s says \"%*pE\": write DOMID, DOMID:copy, DOMID:page or none; DOMID: 0 to %u",
			       backend->source, shown, value, DOMID_FIRST_RESERVED - 1);
		return -EINVAL;
	}

	backend->domid = rule.domid;
	backend->copy = rule.copy;
	backend->page = rule.page;

	return rule.none ? -ENODEV : 0;
}

/**
 * xgd_backend_xenstore - ask xenstore
 * @vdev:	the device
 * @backend:	the answer
 *
 * Dom0, where xenstore is a program that may hang like any other, does not ask.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT when xenstore says nothing; -ENODEV when it says that the
 * device does not use grants; -EINVAL, and a line in the log, when it means
 * grants but cannot be followed.
 */
int xgd_backend_xenstore(struct virtio_device *vdev, struct xgd_backend *backend)
{
	struct device *dev = vdev->dev.parent;
	char key[XGD_SOURCE_LEN / 2], *value;
	int ret;

	if (xen_initial_domain() || !READ_ONCE(xgd_xenstore_is_up))
		return -ENOENT;

	xgd_key_name(key, sizeof(key), dev_name(dev));
	value = xenbus_read(XBT_NIL, XGD_GRANTS_FOLDER, key, NULL);
	/* A toolstack may keep its guests out of a folder that it does not use. */
	if (value == ERR_PTR(-ENOENT) || value == ERR_PTR(-EACCES))
		return -ENOENT;

	snprintf(backend->source, sizeof(backend->source), "xenstore " XGD_GRANTS_FOLDER "/%s",
		 key);
	if (IS_ERR(value)) {
		xgd_refuse_err(dev, "%s cannot be read: %ld", backend->source, PTR_ERR(value));
		return -EINVAL;
	}
	ret = xgd_follow_key(dev, value, backend);
	kfree(value);

	return ret;
}

/**
 * xgd_backend_xenstore_init - learn when xenstore is up
 *
 * Context: process, may sleep.
 */
void xgd_backend_xenstore_init(void)
{
	register_xenstore_notifier(&xgd_xenstore_nb);
}

/**
 * xgd_backend_xenstore_exit - undo xgd_backend_xenstore_init()
 *
 * Context: process, may sleep.
 */
void xgd_backend_xenstore_exit(void)
{
	unregister_xenstore_notifier(&xgd_xenstore_nb);
}
