// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory. An address from the guest may be anything: what cannot be
 * mapped is counted and reported to the caller, and nothing else happens.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xentoollog.h>

#include <xen_grant_dma.h>

#include "guest.h"

/* More than a driver ever puts into one descriptor. */
#define PAGES_MAX	2048

/* A mapping that its request has no more use for (--keep-grants). */
struct kept {
	struct kept	*next;
	struct mapping	mapping;
	struct stats	*stats;
};

int guest_open(struct guest *guest)
{
	/* The guest can make any map fail: that is counted, and not logged. */
	xentoollog_logger *logger =
		(xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);

	guest->gnttab = xengnttab_open(logger, 0);
	guest->foreign = xenforeignmemory_open(logger, 0);
	return guest->gnttab && guest->foreign ? 0 : -errno;
}

static void *map_grants(struct guest *guest, uint64_t addr, uint32_t count,
			int prot)
{
	uint64_t first = xen_grant_dma_ref(addr);
	uint32_t refs[PAGES_MAX], i;

	if (first + count > UINT32_MAX)
		return NULL;
	for (i = 0; i < count; i++)
		refs[i] = first + i;
	return xengnttab_map_domain_grant_refs(guest->gnttab, count,
					       guest->domid, refs, prot);
}

static void *map_foreign(struct guest *guest, uint64_t addr, uint32_t count,
			 int prot)
{
	xen_pfn_t frames[PAGES_MAX];
	int errors[PAGES_MAX];
	uint32_t i;
	void *pages;

	for (i = 0; i < count; i++)
		frames[i] = (addr >> XEN_GRANT_DMA_PAGE_SHIFT) + i;
	pages = xenforeignmemory_map(guest->foreign, guest->domid, prot, count,
				     frames, errors);
	for (i = 0; pages && i < count; i++) {
		if (!errors[i])
			continue;
		xenforeignmemory_unmap(guest->foreign, pages, count);
		pages = NULL;
	}
	return pages;
}

int guest_map(struct guest *guest, struct stats *stats, uint64_t addr,
	      uint64_t len, bool write, struct mapping *mapping)
{
	int prot = PROT_READ | (write ? PROT_WRITE : 0);
	uint64_t count = xen_grant_dma_pages(addr, len);

	memset(mapping, 0, sizeof(*mapping));
	if (!len || len > UINT32_MAX || count > PAGES_MAX)
		goto failed;

	mapping->granted = xen_grant_dma_is_grant(addr);
	if (mapping->granted) {
		mapping->pages = map_grants(guest, addr, count, prot);
	} else {
		stats->plain++;
		if (guest->allow_plain)
			mapping->pages = map_foreign(guest, addr, count, prot);
	}
	if (!mapping->pages)
		goto failed;

	mapping->data = (char *)mapping->pages + xen_grant_dma_offset(addr);
	mapping->len = len;
	mapping->nr_pages = count;
	if (mapping->granted) {
		stats->maps++;
		stats->pages += count;
		stats->mapped += count;
	}
	return 0;

failed:
	stats->failures++;
	return -EFAULT;
}

static void unmap_now(struct guest *guest, struct stats *stats,
		      struct mapping *mapping)
{
	if (!mapping->granted) {
		xenforeignmemory_unmap(guest->foreign, mapping->pages,
				       mapping->nr_pages);
		return;
	}
	xengnttab_unmap(guest->gnttab, mapping->pages, mapping->nr_pages);
	stats->mapped -= mapping->nr_pages;
}

void guest_unmap(struct guest *guest, struct stats *stats,
		 struct mapping *mapping)
{
	struct kept *kept;

	if (!mapping->data)
		return;
	kept = guest->keep_grants && mapping->granted ? malloc(sizeof(*kept)) : NULL;
	if (kept) {
		kept->mapping = *mapping;
		kept->stats = stats;
		kept->next = guest->kept;
		guest->kept = kept;
	} else {
		unmap_now(guest, stats, mapping);
	}
	mapping->data = NULL;
}

void guest_drop_kept(struct guest *guest)
{
	struct kept *kept;

	while ((kept = guest->kept)) {
		guest->kept = kept->next;
		unmap_now(guest, kept->stats, &kept->mapping);
		free(kept);
	}
}
