// SPDX-License-Identifier: GPL-2.0-only
/*
 * gntgrep DOMID COUNT TEXT: which grants of a domain show a text.
 *
 * Maps references 0 to COUNT - 1, as many as can be, and prints those in whose
 * page the text is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#define PAGE	4096

int main(int argc, char **argv)
{
	unsigned long domid, count, ref;
	xengnttab_handle *xgt;
	void *page;

	if (argc != 4) {
		fprintf(stderr, "usage: gntgrep DOMID COUNT TEXT\n");
		return 2;
	}
	domid = strtoul(argv[1], NULL, 0);
	count = strtoul(argv[2], NULL, 0);

	/* A reference that does not map is no error here: no logger. */
	xgt = xengnttab_open((struct xentoollog_logger *)NULL, 0);
	if (!xgt) {
		fprintf(stderr, "gntgrep: /dev/xen/gntdev: %s\n", strerror(errno));
		return 2;
	}
	for (ref = 0; ref < count; ref++) {
		page = xengnttab_map_grant_ref(xgt, domid, ref, PROT_READ);
		if (!page)
			continue;
		if (memmem(page, PAGE, argv[3], strlen(argv[3])))
			printf("%lu\n", ref);
		xengnttab_unmap(xgt, page, 1);
	}
	xengnttab_close(xgt);
	return 0;
}
