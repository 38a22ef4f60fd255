// SPDX-License-Identifier: GPL-2.0-only
/*
 * A backend domain tells by an event channel that it is ready: one that Xen made at
 * boot ("xen,evtchn-v1" of dom0less), say. It needs no xenstore.
 *
 * An event alone proves nothing: Xen makes one when it connects the two ends, and the
 * guest may get to see it long before there is a backend. So an event is a reason to
 * look whether the domain serves this guest: then Xen has an event channel between
 * them for each virtual CPU, by which it passes on what the guest does, and which this
 * kernel does not know of.
 *
 * The port belongs to who gave it to this guest and stays open. It is not unbound,
 * which would close it, but just loses its handler: what is told while the module is
 * not there is pending when it is loaded again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <asm/xen/hypercall.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>

#include "ready.h"
#include "signal.h"

/**
 * struct xgd_port - a port by which a domain tells
 * @list:	in xgd_ports
 * @domid:	the domain
 * @port:	this guest's end
 * @irq:	of the port
 * @ignored:	an event came too early, and the log has told
 * @work:	what an event leads to
 */
struct xgd_port {
	struct list_head	list;
	domid_t			domid;
	evtchn_port_t		port;
	unsigned int		irq;
	bool			ignored;
	struct work_struct	work;
};

static DEFINE_MUTEX(xgd_ports_lock);
static LIST_HEAD(xgd_ports);

static int xgd_port_status(evtchn_port_t port, struct evtchn_status *status)
{
	*status = (struct evtchn_status) { .dom = DOMID_SELF, .port = port };

	return HYPERVISOR_event_channel_op(EVTCHNOP_status, status);
}

/* Does this kernel know nothing of a port? */
static bool xgd_port_unknown(evtchn_port_t port)
{
	int ret = evtchn_get(port);

	if (!ret)
		evtchn_put(port);

	return ret == -ENOENT;
}

/*
 * Is there a device model for this guest in a domain? Where the event channel of one
 * leads is a secret of Xen before 4.19: there it is taken for that domain's.
 */
static bool xgd_is_served_by(domid_t domid)
{
	struct evtchn_status status;
	evtchn_port_t port;
	int ret;

	for (port = 1; ; port++) {
		ret = xgd_port_status(port, &status);
		if (ret == -EACCES)
			return true;
		/* This is past the last port that was ever in use. */
		if (ret)
			return false;
		if (status.status == EVTCHNSTAT_interdomain &&
		    status.u.interdomain.dom == domid && xgd_port_unknown(port))
			return true;
	}
}

static void xgd_port_work(struct work_struct *work)
{
	struct xgd_port *port = container_of(work, struct xgd_port, work);
	char signal[32];

	if (xgd_is_served_by(port->domid)) {
		snprintf(signal, sizeof(signal), "event channel %u", port->port);
		xgd_ready_set(port->domid, signal);
	} else if (!port->ignored) {
		port->ignored = true;
		pr_info("event channel %u: an event, but domain %u does not serve this guest: ignored\n",
			port->port, port->domid);
	}
	xen_irq_lateeoi(port->irq, 0);
}

/* No more events until the work is done. */
static irqreturn_t xgd_port_event(int irq, void *data)
{
	struct xgd_port *port = data;

	port->irq = irq;
	queue_work(system_long_wq, &port->work);

	return IRQ_HANDLED;
}

static bool xgd_port_leads_to(evtchn_port_t port, domid_t domid)
{
	struct evtchn_status status;

	if (xgd_port_status(port, &status))
		return false;

	return (status.status == EVTCHNSTAT_interdomain && status.u.interdomain.dom == domid) ||
	       (status.status == EVTCHNSTAT_unbound && status.u.unbound.dom == domid);
}

static struct xgd_port *xgd_find_port(evtchn_port_t number)
{
	struct xgd_port *port;

	list_for_each_entry(port, &xgd_ports, list)
		if (port->port == number)
			return port;

	return NULL;
}

static int xgd_bind_port(domid_t domid, evtchn_port_t number)
{
	struct xgd_port *port;
	int ret;

	if (!xgd_port_leads_to(number, domid)) {
		pr_err("event channel %u does not lead to domain %u: it cannot tell that it is ready by this\n",
		       number, domid);
		return -EINVAL;
	}

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return -ENOMEM;

	port->domid = domid;
	port->port = number;
	INIT_WORK(&port->work, xgd_port_work);
	ret = bind_evtchn_to_irqhandler_lateeoi(number, xgd_port_event, 0, KBUILD_MODNAME, port);
	if (ret < 0) {
		pr_err("event channel %u cannot be used: %d\n", number, ret);
		kfree(port);
		return ret;
	}

	/* It may have been set by an event: to the same. */
	port->irq = ret;
	list_add_tail(&port->list, &xgd_ports);

	return 0;
}

/**
 * xgd_signal_evtchn - have a domain tell by an event channel
 * @domid:	the domain
 * @port:	this guest's end, which may be given more than once
 *
 * An event that is pending counts.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error, and then the log has the reason.
 */
int xgd_signal_evtchn(domid_t domid, evtchn_port_t port)
{
	int ret = 0;

	mutex_lock(&xgd_ports_lock);
	if (!xgd_find_port(port))
		ret = xgd_bind_port(domid, port);
	mutex_unlock(&xgd_ports_lock);

	return ret;
}

/**
 * xgd_signal_evtchn_exit - listen no more
 *
 * Context: process, may sleep.
 */
void xgd_signal_evtchn_exit(void)
{
	struct xgd_port *port, *next;

	list_for_each_entry_safe(port, next, &xgd_ports, list) {
		free_irq(port->irq, port);
		/* Not cancelled: an event that nobody acknowledges is the last. */
		flush_work(&port->work);
		kfree(port);
	}
	INIT_LIST_HEAD(&xgd_ports);
}
