// SPDX-License-Identifier: GPL-2.0-only
/*
 * libxengnttab chooses where it maps grants; here their places are given, so the
 * kernel is asked directly.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <xen/grant_table.h>
#include <xen/gntdev.h>

#include <xen_grant_dma.h>

#include "window.h"

#define PAGE		((size_t)1 << XEN_GRANT_DMA_PAGE_SHIFT)
/* Eight times the references of a table of Xen's default size. */
#define REFS_MAX	(8 * 32768U)

/* What one call mapped is unmapped by one call. */
struct range {
	struct range	*next;
	char		*pages;
	uint64_t	index;
	uint32_t	count;
};

struct window {
	uint32_t	domid;
	int		fd;
	/* To read, and to write, too. */
	struct view {
		char		*pages;
		bool		mapped[REFS_MAX];
		struct range	*ranges;
	} view[2];
};

static void *reserve(void *at, size_t size)
{
	return mmap(at, size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0), -1, 0);
}

struct window *window_open(uint32_t domid)
{
	struct window *window = calloc(1, sizeof(*window));
	unsigned int i;

	if (!window)
		return NULL;
	window->domid = domid;
	window->fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);
	if (window->fd < 0)
		return NULL;
	for (i = 0; i < 2; i++) {
		window->view[i].pages = reserve(NULL, REFS_MAX * PAGE);
		if (window->view[i].pages == MAP_FAILED)
			return NULL;
	}
	return window;
}

static void unmap_range(struct window *window, const struct range *range)
{
	struct ioctl_gntdev_unmap_grant_ref unmap = {
		.index = range->index,
		.count = range->count,
	};

	reserve(range->pages, range->count * PAGE);
	ioctl(window->fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &unmap);
}

static int map_range(struct window *window, struct view *view, uint32_t first, uint32_t count,
		     int prot)
{
	struct ioctl_gntdev_map_grant_ref *map;
	struct range *range;
	uint32_t i;

	range = malloc(sizeof(*range));
	map = malloc(sizeof(*map) + count * sizeof(*map->refs));
	if (!range || !map)
		goto failed;
	map->count = count;
	for (i = 0; i < count; i++)
		map->refs[i] = (struct ioctl_gntdev_grant_ref){ window->domid, first + i };
	if (ioctl(window->fd, IOCTL_GNTDEV_MAP_GRANT_REF, map))
		goto failed;

	*range = (struct range){ view->ranges, view->pages + first * PAGE, map->index, count };
	if (mmap(range->pages, count * PAGE, prot, MAP_SHARED | MAP_FIXED, window->fd,
		 map->index) == MAP_FAILED) {
		unmap_range(window, range);
		goto failed;
	}
	view->ranges = range;
	memset(view->mapped + first, true, count);
	free(map);
	return 0;

failed:
	free(map);
	free(range);
	return -1;
}

void *window_map(struct window *window, uint32_t first, uint32_t count, bool write,
		 uint64_t *maps, uint64_t *pages)
{
	int prot = PROT_READ | (write ? PROT_WRITE : 0);
	struct view *view = &window->view[write];
	uint32_t at = first, end = first + count, next;

	if (count > REFS_MAX || first > REFS_MAX - count)
		return NULL;
	while (at < end) {
		if (view->mapped[at]) {
			at++;
			continue;
		}
		for (next = at + 1; next < end && !view->mapped[next]; next++)
			;
		if (map_range(window, view, at, next - at, prot))
			return NULL;
		++*maps;
		*pages += next - at;
		at = next;
	}
	return view->pages + first * PAGE;
}

uint64_t window_drop(struct window *window)
{
	struct range *range;
	uint64_t pages = 0;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct view *view = &window->view[i];

		while ((range = view->ranges)) {
			view->ranges = range->next;
			unmap_range(window, range);
			memset(view->mapped + (range->pages - view->pages) / PAGE, false,
			       range->count);
			pages += range->count;
			free(range);
		}
	}
	return pages;
}
