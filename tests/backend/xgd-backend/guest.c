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
#include "window.h"

/* More than a driver ever puts into one descriptor. */
#define PAGES_MAX	2048

int guest_open(struct guest *guest)
{
	/* The guest can make any map fail: that is counted, and not logged. */
	xentoollog_logger *logger =
		(xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);

	guest->gnttab = xengnttab_open(logger, 0);
	guest->foreign = xenforeignmemory_open(logger, 0);
	return guest->gnttab && guest->foreign ? 0 : -errno;
}

static void *map_window(struct memory *memory, uint64_t first, uint32_t count, bool write)
{
	struct stats *stats = &memory->stats;
	uint64_t pages = 0;
	void *at;

	if (!memory->window)
		memory->window = window_open(memory->guest->domid);
	if (!memory->window)
		return NULL;
	at = window_map(memory->window, first, count, write, &stats->maps, &pages);
	stats->pages += pages;
	stats->mapped += pages;
	return at;
}

static void *map_grants(struct memory *memory, uint64_t first, uint32_t count, int prot)
{
	struct guest *guest = memory->guest;
	uint32_t refs[PAGES_MAX], i;
	void *pages;

	for (i = 0; i < count; i++)
		refs[i] = first + i;
	pages = xengnttab_map_domain_grant_refs(guest->gnttab, count, guest->domid, refs, prot);
	if (pages) {
		memory->stats.maps++;
		memory->stats.pages += count;
		memory->stats.mapped += count;
	}
	return pages;
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

/* A mapping of the window is as good as any, but nobody unmaps it for itself. */
static void *map_granted(struct memory *memory, uint64_t addr, uint32_t count, bool write,
			 struct mapping *mapping)
{
	uint64_t first = xen_grant_dma_ref(addr);

	if (first + count > UINT32_MAX)
		return NULL;
	mapping->shared = memory->guest->keep_grants;
	if (mapping->shared)
		return map_window(memory, first, count, write);
	return map_grants(memory, first, count, PROT_READ | (write ? PROT_WRITE : 0));
}

int guest_map(struct memory *memory, uint64_t addr, uint64_t len, bool write,
	      struct mapping *mapping)
{
	uint64_t count = xen_grant_dma_pages(addr, len);
	struct guest *guest = memory->guest;

	memset(mapping, 0, sizeof(*mapping));
	mapping->addr = addr;
	mapping->write = write;
	if (!len || len > UINT32_MAX || count > PAGES_MAX)
		goto failed;

	mapping->granted = xen_grant_dma_is_grant(addr);
	if (mapping->granted) {
		mapping->pages = map_granted(memory, addr, count, write, mapping);
	} else {
		memory->stats.plain++;
		if (guest->allow_plain)
			mapping->pages = map_foreign(guest, addr, count,
						     PROT_READ | (write ? PROT_WRITE : 0));
	}
	if (!mapping->pages)
		goto failed;

	mapping->data = (char *)mapping->pages + xen_grant_dma_offset(addr);
	mapping->len = len;
	mapping->nr_pages = count;
	return 0;

failed:
	memory->stats.failures++;
	return -EFAULT;
}

static void unmap_now(struct memory *memory, struct mapping *mapping)
{
	if (!mapping->granted) {
		xenforeignmemory_unmap(memory->guest->foreign, mapping->pages,
				       mapping->nr_pages);
		return;
	}
	xengnttab_unmap(memory->guest->gnttab, mapping->pages, mapping->nr_pages);
	memory->stats.mapped -= mapping->nr_pages;
}

void guest_unmap(struct memory *memory, struct mapping *mapping)
{
	struct guest *guest = memory->guest;
	struct kept *kept = NULL;

	if (!mapping->data)
		return;
	mapping->data = NULL;
	if (mapping->shared)
		return;
	if (guest->never_unmap && mapping->granted)
		kept = malloc(sizeof(*kept));
	if (!kept) {
		unmap_now(memory, mapping);
		return;
	}
	*kept = (struct kept){ guest->kept, *mapping, memory };
	guest->kept = kept;
}

void guest_drop_window(struct memory *memory)
{
	if (memory->window)
		memory->stats.mapped -= window_drop(memory->window);
}

void guest_drop_kept(struct guest *guest)
{
	struct kept *kept;

	while ((kept = guest->kept)) {
		guest->kept = kept->next;
		unmap_now(kept->memory, &kept->mapping);
		free(kept);
	}
}
