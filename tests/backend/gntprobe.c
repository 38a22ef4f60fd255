// SPDX-License-Identifier: GPL-2.0-only
/*
 * gntprobe [-cdkz] [-t TEXT] [-x REFERENCE,...] DOMID COUNT [FIRST]:
 * which grants of a domain can be mapped from here.
 *
 * Tries references FIRST (0) to FIRST + COUNT - 1, read-write and then read-only,
 * and prints "REFERENCE rw" or "REFERENCE ro" for each that maps.
 *
 * -c	first have Xen map them all for a moment, and copy their pages, many at a time; then
 *	try only those that could be copied. That is far quicker where there are few. What
 *	-t looks for can be in the copy, too: "REFERENCE copy"
 * -d	print what is there, too: a checksum of the page and the text it begins with
 * -k	keep the pages: after printing them say "kept", and again after each line on
 *	stdin, at whose end they are let go: an empty line prints them once more,
 *	"fill BYTE" writes that byte all over those that can be written
 * -t	only pages that have this text somewhere
 * -x	leave these references alone
 * -z	leave out pages that are all zero
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#include <xengnttab.h>
#include <xentoollog.h>

#define PAGE	4096
#define TEXT	16
#define BATCH	256

static int dump, no_zeroes;
static const char *leave, *text;

static int is_zero(const unsigned char *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

static int has_text(const unsigned char *page)
{
	return !!memmem(page, PAGE, text, strlen(text));
}

/* Is a reference to be left alone? The list is like "8,9". */
static int left_alone(unsigned long number)
{
	const char *list = leave;
	char *end;

	while (list && *list) {
		if (strtoul(list, &end, 0) == number)
			return 1;
		list = *end ? end + 1 : end;
	}
	return 0;
}

static void print(unsigned long ref, int writable, const unsigned char *page)
{
	unsigned int i, sum = 2166136261;

	if ((no_zeroes && is_zero(page)) || (text && !has_text(page)))
		return;
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

/* Those that can be mapped are, for a moment, even if others cannot. */
static void map_all(xengnttab_handle *xgt, unsigned long domid, uint32_t *refs,
		    unsigned int count)
{
	void *pages = xengnttab_map_domain_grant_refs(xgt, count, domid, refs, PROT_READ);

	if (pages)
		xengnttab_unmap(xgt, pages, count);
}

/* Map and copy the pages of a batch of references: can[] tells which can be copied. */
static void try_all(xengnttab_handle *xgt, unsigned long domid, unsigned long first,
		    unsigned int count, char *can)
{
	static unsigned char pages[BATCH][PAGE] __attribute__((aligned(PAGE)));
	xengnttab_grant_copy_segment_t segment[BATCH] = { 0 };
	unsigned int i, tried = 0;
	uint32_t ref[BATCH];

	memset(can, 0, count);
	for (i = 0; i < count; i++) {
		if (left_alone(first + i))
			continue;
		segment[tried].source.foreign.ref = first + i;
		segment[tried].source.foreign.domid = domid;
		segment[tried].dest.virt = pages[tried];
		segment[tried].len = PAGE;
		segment[tried].flags = GNTCOPY_source_gref;
		ref[tried++] = first + i;
	}
	map_all(xgt, domid, ref, tried);
	if (xengnttab_grant_copy(xgt, tried, segment)) {
		fprintf(stderr, "gntprobe: cannot copy: %s\n", strerror(errno));
		exit(2);
	}
	for (i = 0; i < tried; i++) {
		if (segment[i].status != GNTST_okay)
			continue;
		can[ref[i] - first] = 1;
		if (text && has_text(pages[i]))
			printf("%u copy\n", ref[i]);
	}
}

int main(int argc, char **argv)
{
	unsigned long domid, count, first, ref;
	xentoollog_logger *log;
	xengnttab_handle *xgt;
	int all = 0, keep = 0, opt, fill, byte;
	char can[BATCH], line[32];
	struct {
		unsigned char *page;
		int writable;
	} *kept, *at;

	while ((opt = getopt(argc, argv, "cdkt:x:z")) != -1) {
		if (opt == 'c')
			all = 1;
		else if (opt == 'd')
			dump = 1;
		else if (opt == 'k')
			keep = 1;
		else if (opt == 't')
			text = optarg;
		else if (opt == 'x')
			leave = optarg;
		else if (opt == 'z')
			no_zeroes = 1;
		else
			argc = 0;
	}
	if (argc - optind < 2 || argc - optind > 3) {
		fprintf(stderr,
			"usage: gntprobe [-cdkz] [-t TEXT] [-x REFS] DOMID COUNT [FIRST]\n");
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
		if (all && (ref - first) % BATCH == 0)
			try_all(xgt, domid, ref, MIN(first + count - ref, BATCH), can);
		if (left_alone(ref) || (all && !can[(ref - first) % BATCH]))
			continue;
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
		if (!fgets(line, sizeof(line), stdin))
			break;
		fill = sscanf(line, "fill %i", &byte) == 1;
		for (ref = first; ref < first + count; ref++) {
			at = &kept[ref - first];
			if (fill && at->writable)
				memset(at->page, byte, PAGE);
			else if (!fill && at->page)
				print(ref, at->writable, at->page);
		}
	}
	/* The kernel unmaps what is left. */
	xengnttab_close(xgt);
	xtl_logger_destroy(log);
	return 0;
}
