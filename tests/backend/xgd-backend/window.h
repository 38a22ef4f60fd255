/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grants that stay mapped, each at its own place: consecutive references lie side
 * by side, whenever they were mapped.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct window;

struct window *window_open(uint32_t domid);

/*
 * Where a run of references is mapped, or NULL if one of them cannot be mapped;
 * maps and pages count what had to be mapped for that.
 */
void *window_map(struct window *window, uint32_t first, uint32_t count, bool write,
		 uint64_t *maps, uint64_t *pages);

/* Unmap all; how many pages that were. */
uint64_t window_drop(struct window *window);

#endif
