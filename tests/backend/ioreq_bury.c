// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioreq_bury DOMID SERVER: end the ioreq server of a device model that was killed.
 *
 * Xen keeps it, and a vCPU that has sent it a request waits for the answer. Each such
 * vCPU gets one: reads give 0, writes do nothing. It must not be destroyed before:
 * Xen would go on looking for the answer in its page. Prints how many waited.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#define VCPUS_MAX	(4096 / sizeof(ioreq_t))

static void check(const char *what, int failed)
{
	if (!failed)
		return;
	perror(what);
	exit(1);
}

static int answer(xenevtchn_handle *events, int domid, volatile ioreq_t *request)
{
	int port, i;

	if (request->state != STATE_IOREQ_READY && request->state != STATE_IOREQ_INPROCESS)
		return 0;
	port = xenevtchn_bind_interdomain(events, domid, request->vp_eport);
	check("no event channel", port < 0);
	request->data = 0;
	xen_mb();
	request->state = STATE_IORESP_READY;
	check("notify", xenevtchn_notify(events, port));
	for (i = 0; i < 100 && request->state != STATE_IOREQ_NONE; i++)
		usleep(50000);
	check("the vCPU does not take its answer", request->state != STATE_IOREQ_NONE);
	return 1;
}

int main(int argc, char **argv)
{
	xendevicemodel_handle *dm = xendevicemodel_open(NULL, 0);
	xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
	xenevtchn_handle *events = xenevtchn_open(NULL, 0);
	xenforeignmemory_resource_handle *resource;
	shared_iopage_t *shared;
	unsigned int vcpu, answered = 0;
	void *page = NULL;
	ioservid_t id;
	int domid;

	if (argc != 3) {
		fprintf(stderr, "usage: ioreq_bury DOMID SERVER\n");
		return 2;
	}
	domid = atoi(argv[1]);
	id = atoi(argv[2]);

	check("no access to Xen", !dm || !memory || !events);
	resource = xenforeignmemory_map_resource(memory, domid, XENMEM_resource_ioreq_server, id,
						 XENMEM_resource_ioreq_server_frame_ioreq(0), 1,
						 &page, PROT_READ | PROT_WRITE, 0);
	check("no request page", !resource);
	shared = page;
	for (vcpu = 0; vcpu < VCPUS_MAX && shared->vcpu_ioreq[vcpu].vp_eport; vcpu++)
		answered += answer(events, domid, &shared->vcpu_ioreq[vcpu]);
	xenforeignmemory_unmap_resource(memory, resource);
	check("the server stays", xendevicemodel_destroy_ioreq_server(dm, domid, id));
	printf("%u\n", answered);

	return 0;
}
