// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioreq_destroy DOMID: remove the I/O request servers of a guest.
 *
 * A device model that dies leaves its server behind in Xen, and a vCPU of the
 * guest that waits for its answer waits for ever. Without the server it goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <xendevicemodel.h>

#define MAX_SERVERS 8

int main(int argc, char **argv)
{
	xendevicemodel_handle *dm;
	int id, found = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: ioreq_destroy DOMID\n");
		return 2;
	}
	dm = xendevicemodel_open(NULL, 0);
	if (!dm) {
		perror("xendevicemodel_open");
		return 1;
	}
	for (id = 0; id < MAX_SERVERS; id++)
		found += !xendevicemodel_destroy_ioreq_server(dm, atoi(argv[1]), id);
	printf("%d removed\n", found);
	xendevicemodel_close(dm);

	return found ? 0 : 1;
}
