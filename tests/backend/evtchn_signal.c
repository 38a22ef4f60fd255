// SPDX-License-Identifier: GPL-2.0-only
/*
 * evtchn_signal DOMID: give a guest an event channel, as Xen does with those of
 * "xen,evtchn-v1" for dom0less, and send an event for each line of the input.
 *
 * Prints the guest's port. The guest's end is the one that was there first, so there
 * is no event but those that are sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>
#include <xenevtchn.h>

static void check(const char *what, int failed)
{
	if (!failed)
		return;
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	xenevtchn_handle *events = xenevtchn_open(NULL, 0);
	char line[16];
	int domid, remote, local;

	if (argc != 2) {
		fprintf(stderr, "usage: evtchn_signal DOMID\n");
		return 2;
	}
	domid = atoi(argv[1]);

	check("no access to Xen", !xc || !events);
	remote = xc_evtchn_alloc_unbound(xc, domid, 0);
	check("no port in the guest", remote < 0);
	local = xenevtchn_bind_interdomain(events, domid, remote);
	check("no port here", local < 0);
	printf("%d\n", remote);
	fflush(stdout);

	while (fgets(line, sizeof(line), stdin))
		check("no event", xenevtchn_notify(events, local));

	return 0;
}
