// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioreq_null DOMID FIRST LAST...: stand in for a device model that was killed, until
 * killed. Says "serving" when it does.
 *
 * Xen sends a guest's requests to the dead one, and the guest waits for ever. The
 * newest server goes before older ones: this one takes all from one address to
 * another, answers reads with 0, and ignores writes. To a driver that is a device
 * which was reset.
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

static void check(const char *what, int failed)
{
	if (!failed)
		return;
	perror(what);
	exit(1);
}

static void answer(volatile ioreq_t *request)
{
	if (request->state != STATE_IOREQ_READY)
		return;
	xen_mb();
	if (request->dir == IOREQ_READ)
		request->data = 0;
	xen_mb();
	request->state = STATE_IORESP_READY;
}

int main(int argc, char **argv)
{
	xendevicemodel_handle *dm = xendevicemodel_open(NULL, 0);
	xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
	xenevtchn_handle *events = xenevtchn_open(NULL, 0);
	shared_iopage_t *shared;
	void *page = NULL;
	int domid, port, i;
	ioservid_t id;

	if (argc < 4 || argc % 2) {
		fprintf(stderr, "usage: ioreq_null DOMID FIRST LAST...\n");
		return 2;
	}
	domid = atoi(argv[1]);

	check("no access to Xen", !dm || !memory || !events);
	check("no server", xendevicemodel_create_ioreq_server(dm, domid, HVM_IOREQSRV_BUFIOREQ_OFF,
							      &id));
	for (i = 2; i < argc; i += 2)
		check("no memory range",
		      xendevicemodel_map_io_range_to_ioreq_server(dm, domid, id, 1,
								  strtoull(argv[i], NULL, 0),
								  strtoull(argv[i + 1], NULL, 0)));
	check("no request page",
	      !xenforeignmemory_map_resource(memory, domid, XENMEM_resource_ioreq_server, id,
					     XENMEM_resource_ioreq_server_frame_ioreq(0), 1,
					     &page, PROT_READ | PROT_WRITE, 0));
	shared = page;
	check("the server does not start",
	      xendevicemodel_set_ioreq_server_state(dm, domid, id, 1));
	port = xenevtchn_bind_interdomain(events, domid, shared->vcpu_ioreq[0].vp_eport);
	check("no event channel", port < 0);

	puts("serving");
	fflush(stdout);
	for (;;) {
		port = xenevtchn_pending(events);
		check("pending", port < 0 || xenevtchn_unmask(events, port));
		answer(&shared->vcpu_ioreq[0]);
		check("notify", xenevtchn_notify(events, port));
	}
}
