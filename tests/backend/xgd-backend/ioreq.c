// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ioreq server: a page that Xen shares with us has a slot for each vCPU, and
 * an event channel for each says that there is an access in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#include "ioreq.h"

#define PAGE		4096
#define VCPUS_MAX	(PAGE / sizeof(ioreq_t))

struct ioreq_server {
	uint32_t				domid;
	ioservid_t				id;
	ioreq_handler				*handler;
	void					*data;
	xendevicemodel_handle			*model;
	xenevtchn_handle			*events;
	xenforeignmemory_handle			*foreign;
	xenforeignmemory_resource_handle	*resource;
	shared_iopage_t				*page;
	unsigned int				nr_vcpus;
	xenevtchn_port_or_error_t		port[VCPUS_MAX];
};

struct ioreq_server *ioreq_open(uint32_t domid, ioreq_handler *handler, void *data)
{
	struct ioreq_server *server = calloc(1, sizeof(*server));
	void *page = NULL;

	if (!server)
		return NULL;
	server->domid = domid;
	server->handler = handler;
	server->data = data;
	server->model = xendevicemodel_open(NULL, 0);
	server->events = xenevtchn_open(NULL, 0);
	server->foreign = xenforeignmemory_open(NULL, 0);
	if (!server->model || !server->events || !server->foreign)
		goto failed;
	if (xendevicemodel_create_ioreq_server(server->model, domid, HVM_IOREQSRV_BUFIOREQ_OFF,
					       &server->id))
		goto failed;
	server->resource =
		xenforeignmemory_map_resource(server->foreign, domid, XENMEM_resource_ioreq_server,
					      server->id,
					      XENMEM_resource_ioreq_server_frame_ioreq(0), 1,
					      &page, PROT_READ | PROT_WRITE, 0);
	if (!server->resource) {
		xendevicemodel_destroy_ioreq_server(server->model, domid, server->id);
		goto failed;
	}
	server->page = page;
	return server;

failed:
	free(server);
	return NULL;
}

int ioreq_add_window(struct ioreq_server *server, uint64_t base, uint64_t size)
{
	return xendevicemodel_map_io_range_to_ioreq_server(server->model, server->domid,
							   server->id, 1, base, base + size - 1);
}

int ioreq_enable(struct ioreq_server *server)
{
	unsigned int vcpu;

	if (xendevicemodel_set_ioreq_server_state(server->model, server->domid, server->id, 1))
		return -errno;
	for (vcpu = 0; vcpu < VCPUS_MAX; vcpu++) {
		uint32_t remote = server->page->vcpu_ioreq[vcpu].vp_eport;

		if (!remote)
			break;
		server->port[vcpu] = xenevtchn_bind_interdomain(server->events, server->domid,
								remote);
		if (server->port[vcpu] < 0)
			return -errno;
		server->nr_vcpus++;
	}
	return server->nr_vcpus ? 0 : -ENODEV;
}

int ioreq_fd(const struct ioreq_server *server)
{
	return xenevtchn_fd(server->events);
}

static void handle(struct ioreq_server *server, unsigned int vcpu)
{
	volatile ioreq_t *req = &server->page->vcpu_ioreq[vcpu];

	if (req->state != STATE_IOREQ_READY)
		return;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	req->state = STATE_IOREQ_INPROCESS;
	if (req->type != IOREQ_TYPE_COPY || req->data_is_ptr || req->count != 1)
		req->data = UINT64_MAX;
	else if (req->dir == IOREQ_READ)
		req->data = server->handler(server->data, req->addr, req->size, false, 0);
	else
		server->handler(server->data, req->addr, req->size, true, req->data);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	req->state = STATE_IORESP_READY;
	xenevtchn_notify(server->events, server->port[vcpu]);
}

void ioreq_handle(struct ioreq_server *server)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(server->events);
	unsigned int vcpu;

	if (port < 0)
		return;
	xenevtchn_unmask(server->events, port);
	for (vcpu = 0; vcpu < server->nr_vcpus; vcpu++)
		if (server->port[vcpu] == port)
			handle(server, vcpu);
}

/* Arm only: Xen has no other way to a PVH guest on x86 than event channels. */
int ioreq_set_irq(struct ioreq_server *server, uint32_t irq, bool level)
{
	return xendevicemodel_set_irq_level(server->model, server->domid, irq, level);
}

int ioreq_bind_port(struct ioreq_server *server, uint32_t port)
{
	int local = xenevtchn_bind_interdomain(server->events, server->domid, port);

	return local < 0 ? -errno : local;
}

int ioreq_notify(struct ioreq_server *server, int port)
{
	return xenevtchn_notify(server->events, port);
}

unsigned int ioreq_id(const struct ioreq_server *server)
{
	return server->id;
}

void ioreq_close(struct ioreq_server *server)
{
	xenforeignmemory_unmap_resource(server->foreign, server->resource);
	xendevicemodel_destroy_ioreq_server(server->model, server->domid, server->id);
	xenevtchn_close(server->events);
	xenforeignmemory_close(server->foreign);
	xendevicemodel_close(server->model);
	free(server);
}
