/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_READY_H
#define XGD_READY_H

#include <linux/list.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>

struct device;
struct platform_device;

/**
 * struct xgd_waiter - a device that was told to wait
 * @list:	in the order of the first time
 * @name:	of the device
 */
struct xgd_waiter {
	struct list_head	list;
	char			name[];
};

/**
 * struct xgd_ready - a backend domain that devices wait for, or that is ready
 * @list:	in xgd_domains; entries stay until the module is unloaded
 * @domid:	the domain
 * @waits:	devices wait until it is ready
 * @ready:	it is, once and for all
 * @gave_up:	wait_timeout= is over
 * @pinned:	a device was told to wait: the module stays
 * @since:	the time of that, in jiffies
 * @gate:	what devices that wait by name are consumers of; NULL if there are none
 * @timeout:	runs when wait_timeout= is over
 * @devices:	struct xgd_waiter
 * @source:	what said that devices are to wait
 * @signal:	what made it ready
 */
struct xgd_ready {
	struct list_head	list;
	domid_t			domid;
	bool			waits;
	bool			ready;
	bool			gave_up;
	bool			pinned;
	unsigned long		since;
	struct platform_device	*gate;
	struct delayed_work	timeout;
	struct list_head	devices;
	char			source[64];
	char			signal[48];
};

#ifdef CONFIG_OF_IOMMU
int xgd_ready_wait_for(domid_t domid, const char *source);
int xgd_ready_set(domid_t domid, const char *signal);
int xgd_ready_gate(domid_t domid);
void xgd_ready_hold(struct device *dev, domid_t domid);
int xgd_ready_check(struct device *dev, u32 domid);
void xgd_ready_for_each(void (*fn)(struct xgd_ready *ready, void *data), void *data);
void xgd_ready_limit(unsigned int seconds, bool probe);
void xgd_ready_exit(void);
#else
static inline void xgd_ready_for_each(void (*fn)(struct xgd_ready *ready, void *data), void *data)
{
}
#endif

#endif /* XGD_READY_H */
