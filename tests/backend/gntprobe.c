// SPDX-License-Identifier: GPL-2.0-only
/*
 * gntprobe [-d] [-k] DOMID COUNT [FIRST]: which grants of a domain can be mapped
 * from here.
 *
 * Tries references FIRST (0) to FIRST + COUNT - 1, read-write and then read-only,
 * and prints "REFERENCE rw" or "REFERENCE ro" for each that maps.
 *
 * -d	print what is there, too: a checksum of the page and the text it begins with
 * -k	keep the pages: after printing them say "kept"; with each empty
 *	line on stdin print them once more, and let go of them at its end
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xengnttab.h>
#include <xentoollog.h>

#define PAGE	4096
#define TEXT	16

static int dump;

static void print(unsigned long ref, int writable, const unsigned char *page)
{
	unsigned int i, sum = 2166136261;

	printf("%lu %s", ref, writable ? "rw" : "ro");
	if (dump) {
		for (i = 0; i < PAGE; i++)
			sum = (sum ^ page[i]) * 16777619;
		printf(" %08x ", sum);
		for (i = 0; i < TEXT && page[i]; i++)
			putchar(isprint(page[i]) ? page[i] : '.');
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	unsigned long domid, count, first, ref;
	xentoollog_logger *log;
	xengnttab_handle *xgt;
	int keep = 0, opt;
	struct {
		unsigned char *page;
		int writable;
	} *kept, *at;

	while ((opt = getopt(argc, argv, "dk")) != -1) {
		if (opt == 'd')
			dump = 1;
		else if (opt == 'k')
			keep = 1;
		else
			argc = 0;
	}
	if (argc - optind < 2 || argc - optind > 3) {
		fprintf(stderr, "usage: gntprobe [-d] [-k] DOMID COUNT [FIRST]\n");
		return 2;
	}
	domid = strtoul(argv[optind], NULL, 0);
	count = strtoul(argv[optind + 1], NULL, 0);
	first = argc - optind == 3 ? strtoul(argv[optind + 2], NULL, 0) : 0;
	kept = calloc(count, sizeof(*kept));

	/* A reference that does not map is no error here, and not worth a message. */
	log = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	xgt = xengnttab_open(log, 0);
	if (!xgt || !kept) {
		fprintf(stderr, "gntprobe: /dev/xen/gntdev: %s\n", strerror(errno));
		return 2;
	}
	for (ref = first; ref < first + count; ref++) {
		at = &kept[ref - first];
		at->page = xengnttab_map_grant_ref(xgt, domid, ref, PROT_READ | PROT_WRITE);
		at->writable = !!at->page;
		if (!at->page)
			at->page = xengnttab_map_grant_ref(xgt, domid, ref, PROT_READ);
		if (!at->page)
			continue;
		print(ref, at->writable, at->page);
		if (!keep && xengnttab_unmap(xgt, at->page, 1)) {
			fprintf(stderr, "gntprobe: cannot unmap %lu: %s\n", ref, strerror(errno));
			return 2;
		}
	}
	while (keep) {
		puts("kept");
		fflush(stdout);
		if (getchar() != '\n')
			break;
		for (ref = first; ref < first + count; ref++) {
			at = &kept[ref - first];
			if (at->page)
				print(ref, at->writable, at->page);
		}
	}
	/* The kernel unmaps what is left. */
	xengnttab_close(xgt);
	xtl_logger_destroy(log);
	return 0;
}
