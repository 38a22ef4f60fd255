// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioreq_wake DOMID: let the vCPUs of a guest go on that wait for a device model
 * that died.
 *
 * Xen puts a vCPU to sleep until the device model has answered, and wakes it by
 * the event channel of the device model's server. When the server goes away
 * nobody does. A new server gets the vCPU's attention; its request is dropped.
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

int main(int argc, char **argv)
{
	xenforeignmemory_resource_handle *resource;
	xenforeignmemory_handle *memory;
	xendevicemodel_handle *dm;
	xenevtchn_handle *events;
	void *page = NULL;
	shared_iopage_t *shared;
	int domid, vcpu, port;
	ioservid_t id;

	if (argc != 2) {
		fprintf(stderr, "usage: ioreq_wake DOMID\n");
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
	if (xendevicemodel_create_ioreq_server(dm, domid, HVM_IOREQSRV_BUFIOREQ_OFF, &id)) {
		perror("xendevicemodel_create_ioreq_server");
		return 1;
	}
	resource = xenforeignmemory_map_resource(memory, domid, XENMEM_resource_ioreq_server, id,
						 XENMEM_resource_ioreq_server_frame_ioreq(0), 1,
						 &page, PROT_READ | PROT_WRITE, 0);
	if (!resource || xendevicemodel_set_ioreq_server_state(dm, domid, id, 1)) {
		perror("no I/O request page");
		return 1;
	}
	shared = page;
	for (vcpu = 0; vcpu < VCPUS; vcpu++) {
		port = xenevtchn_bind_interdomain(events, domid, shared->vcpu_ioreq[vcpu].vp_eport);
		if (port < 0 || xenevtchn_notify(events, port)) {
			perror("xenevtchn");
			return 1;
		}
	}
	xenforeignmemory_unmap_resource(memory, resource);

	return xendevicemodel_destroy_ioreq_server(dm, domid, id) ? 1 : 0;
}
