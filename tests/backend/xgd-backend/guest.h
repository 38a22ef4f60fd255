/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory, as far as the guest hands it over.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xengntdev_handle;
struct xenforeignmemory_handle;

/*
 * What a device made of the guest's memory. "Pages" are Xen pages, "mapped" are
 * those that are mapped now.
 */
struct stats {
	uint64_t	requests;
	uint64_t	bytes_read;	/* from the guest's memory */
	uint64_t	bytes_written;	/* to it */
	uint64_t	maps;
	uint64_t	pages;
	uint64_t	mapped;
	uint64_t	plain;		/* addresses that are no grants */
	uint64_t	failures;	/* addresses that could not be mapped */
};

struct guest {
	uint32_t			domid;
	struct xengntdev_handle		*gnttab;
	struct xenforeignmemory_handle	*foreign;
	bool				allow_plain;
	bool				keep_grants;	/* map each once */
	bool				never_unmap;
	struct kept			*kept;
};

/* What a device has of it. */
struct memory {
	struct guest	*guest;
	struct window	*window;	/* the grants that it keeps */
	struct stats	stats;
};

/* A piece of the guest's memory; it is not mapped if there is no data. */
struct mapping {
	uint64_t	addr;
	void		*data;
	uint64_t	len;
	void		*pages;
	uint32_t	nr_pages;
	bool		write;
	bool		granted;
	bool		shared;		/* part of the window */
};

/* A mapping that its request has no more use for (never_unmap). */
struct kept {
	struct kept	*next;
	struct mapping	mapping;
	struct memory	*memory;
};

int guest_open(struct guest *guest);
int guest_map(struct memory *memory, uint64_t addr, uint64_t len, bool write,
	      struct mapping *mapping);
void guest_unmap(struct memory *memory, struct mapping *mapping);

/* Unmap what keep_grants, or never_unmap, has left mapped. */
void guest_drop_window(struct memory *memory);
void guest_drop_kept(struct guest *guest);

#endif
