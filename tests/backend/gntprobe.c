// SPDX-License-Identifier: GPL-2.0-only
/*
 * gntprobe DOMID COUNT [FIRST]: which grants of a domain can be mapped from here.
 *
 * Tries references FIRST (0) to FIRST + COUNT - 1, read-write and then read-only,
 * and prints "REFERENCE rw" or "REFERENCE ro" for each that maps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>
#include <xentoollog.h>

static int maps(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	void *page = xengnttab_map_grant_ref(xgt, domid, ref, prot);

	if (!page)
		return 0;
	if (xengnttab_unmap(xgt, page, 1)) {
		fprintf(stderr, "gntprobe: cannot unmap %u: %s\n", ref, strerror(errno));
		exit(2);
	}
	return 1;
}

int main(int argc, char **argv)
{
	unsigned long domid, count, first = 0, ref;
	xentoollog_logger *log;
	xengnttab_handle *xgt;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: gntprobe DOMID COUNT [FIRST]\n");
		return 2;
	}
	domid = strtoul(argv[1], NULL, 0);
	count = strtoul(argv[2], NULL, 0);
	if (argc == 4)
		first = strtoul(argv[3], NULL, 0);

	/* A reference that does not map is no error here, and not worth a message. */
	log = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	xgt = xengnttab_open(log, 0);
	if (!xgt) {
		fprintf(stderr, "gntprobe: /dev/xen/gntdev: %s\n", strerror(errno));
		return 2;
	}
	for (ref = first; ref < first + count; ref++) {
		if (maps(xgt, domid, ref, PROT_READ | PROT_WRITE))
			printf("%lu rw\n", ref);
		else if (maps(xgt, domid, ref, PROT_READ))
			printf("%lu ro\n", ref);
	}
	xengnttab_close(xgt);
	xtl_logger_destroy(log);
	return 0;
}
