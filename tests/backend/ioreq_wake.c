// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioreq_wake DOMID [SERVER]: let the vCPUs of a guest go on that wait for a device model
 * that died.
 *
 * Xen puts a vCPU to sleep until the device model has answered, and wakes it by
 * the event channel of the device model's server. When the server goes away
 * nobody does. A new server gets the vCPU's attention; its request is dropped.
 *
 * The server of a device model that was killed stays. It is named then, and what
 * waits there is answered in its place, with all bits set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#define VCPUS 1

/* What a server shares with the device model, or NULL. */
static shared_iopage_t *map_page(xenforeignmemory_handle *memory, int domid, ioservid_t id)
{
	void *page = NULL;

	xenforeignmemory_map_resource(memory, domid, XENMEM_resource_ioreq_server, id,
				      XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &page,
				      PROT_READ | PROT_WRITE, 0);
	return page;
}

static int wake(xenevtchn_handle *events, int domid, uint32_t remote)
{
	int port = xenevtchn_bind_interdomain(events, domid, remote);

	return port < 0 ? -1 : xenevtchn_notify(events, port);
}

/* Stand in for a device model that is dead. */
static int answer(xenforeignmemory_handle *memory, xenevtchn_handle *events, int domid,
		  ioservid_t id)
{
	shared_iopage_t *page = map_page(memory, domid, id);
	int vcpu;

	for (vcpu = 0; page && vcpu < VCPUS; vcpu++) {
		volatile ioreq_t *request = &page->vcpu_ioreq[vcpu];

		if (request->state == STATE_IOREQ_NONE)
			continue;
		request->data = -1;
		xen_mb();
		request->state = STATE_IORESP_READY;
		if (wake(events, domid, request->vp_eport))
			return -1;
	}
	return page ? 0 : -1;
}

int main(int argc, char **argv)
{
	xenforeignmemory_handle *memory;
	xendevicemodel_handle *dm;
	xenevtchn_handle *events;
	shared_iopage_t *shared;
	int domid, vcpu;
	ioservid_t id;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: ioreq_wake DOMID [SERVER]\n");
		return 2;
	}
	domid = atoi(argv[1]);

	dm = xendevicemodel_open(NULL, 0);
	memory = xenforeignmemory_open(NULL, 0);
	events = xenevtchn_open(NULL, 0);
	if (!dm || !memory || !events) {
		perror("no access to Xen");
		return 1;
	}
	if (argc == 3) {
		if (!answer(memory, events, domid, atoi(argv[2])))
			return 0;
		perror("the server of the dead device model");
		return 1;
	}
	if (xendevicemodel_create_ioreq_server(dm, domid, HVM_IOREQSRV_BUFIOREQ_OFF, &id)) {
		perror("xendevicemodel_create_ioreq_server");
		return 1;
	}
	shared = map_page(memory, domid, id);
	if (!shared || xendevicemodel_set_ioreq_server_state(dm, domid, id, 1)) {
		perror("no I/O request page");
		return 1;
	}
	for (vcpu = 0; vcpu < VCPUS; vcpu++) {
		if (wake(events, domid, shared->vcpu_ioreq[vcpu].vp_eport)) {
			perror("xenevtchn");
			return 1;
		}
	}

	return xendevicemodel_destroy_ioreq_server(dm, domid, id) ? 1 : 0;
}
