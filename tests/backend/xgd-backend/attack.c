// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines that a control file takes; DEVICE is a name as in the report:
 *
 *	none DEVICE	be good again, and serve what has waited
 *	early DEVICE	complete requests at once, as if all were well, and serve none
 *	twice DEVICE	complete each request twice
 *	id-range DEVICE	complete requests that are none: beyond the queue
 *	id-free DEVICE	... in the queue, but not in use
 *	length DEVICE	say that 4 GiB were written
 *	index DEVICE	run ahead with the index of the used ring
 *	hang DEVICE	do nothing more
 *	keep		from now on unmap nothing
 *	release		unmap what was kept, and keep no more
 *	scribble	write to what is kept and can be written, but not to rings that are
 *			in use: that would harm the device itself
 *	writable	map for writing what is kept for reading, and write to what that
 *			succeeds for: how many, and on how many pages
 *
 * Each is answered by a line "done LINE[: RESULT]".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "attack.h"

#define LINE_MAX	128
#define PAGE		4096
#define STRIDE		64
#define WRITTEN		8
#define PAGES_MAX	64

static const char *const names[] = {
	[ATTACK_NONE]		= "none",
	[ATTACK_EARLY]		= "early",
	[ATTACK_TWICE]		= "twice",
	[ATTACK_ID_RANGE]	= "id-range",
	[ATTACK_ID_FREE]	= "id-free",
	[ATTACK_LENGTH]		= "length",
	[ATTACK_INDEX]		= "index",
	[ATTACK_HANG]		= "hang",
};

int attack_open(const char *control)
{
	/* For writing, too: so that it never ends. */
	return open(control, O_RDWR | O_NONBLOCK);
}

bool attack_hangs(const struct device *dev)
{
	return dev->attack == ATTACK_HANG;
}

static void complete_early(struct device *dev, struct queue *queue)
{
	struct request *request;

	while ((request = queue_next(queue))) {
		uint8_t *status = request_last_byte(request);
		struct iovec vector[PIECES_MAX];
		size_t len;
		int count;

		len = request_vector(request, true, 0, 0, vector, &count);
		if (dev->type->id == VIRTIO_ID_BLOCK && status)
			*status = 0;
		request_complete(request, len);
	}
	queue_tell(queue);
}

bool attack_work(struct device *dev, struct queue *queue)
{
	if (dev->attack == ATTACK_EARLY)
		complete_early(dev, queue);
	return dev->attack == ATTACK_EARLY || attack_hangs(dev);
}

unsigned int attack_used(const struct device *dev, const struct queue *queue,
			 struct vring_used_elem *elem)
{
	switch (dev->attack) {
	case ATTACK_TWICE:
		return 2;
	case ATTACK_ID_RANGE:
		elem->id += queue->size;
		return 1;
	case ATTACK_ID_FREE:
		elem->id = (elem->id + queue->size / 2) % queue->size;
		return 1;
	case ATTACK_LENGTH:
		elem->len = UINT32_MAX;
		return 1;
	default:
		return 1;
	}
}

uint16_t attack_index(const struct device *dev, uint16_t index)
{
	return dev->attack == ATTACK_INDEX ? index + 1000 : index;
}

static bool is_in(const struct mapping *mapping, uint64_t addr)
{
	return addr + WRITTEN > mapping->addr && addr < mapping->addr + mapping->len;
}

static bool is_in_rings(struct device **device, unsigned int count, uint64_t addr)
{
	const struct queue *queue;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < device[i]->nr_queues; j++) {
			queue = &device[i]->queue[j];
			if (queue->ready &&
			    (is_in(&queue->desc, addr) || is_in(&queue->avail, addr) ||
			     is_in(&queue->used, addr)))
				return true;
		}
	}
	return false;
}

static unsigned int scribble(struct guest *guest, struct device **device, unsigned int count)
{
	unsigned int pages = 0;
	struct kept *kept;
	uint64_t first;
	size_t at;

	for (kept = guest->kept; kept; kept = kept->next) {
		if (!kept->mapping.write)
			continue;
		first = kept->mapping.addr / PAGE * PAGE;
		for (at = 0; at < (size_t)kept->mapping.nr_pages * PAGE; at += STRIDE)
			if (!is_in_rings(device, count, first + at))
				memset((char *)kept->mapping.pages + at, 0xee, WRITTEN);
		pages += kept->mapping.nr_pages;
	}
	return pages;
}

static void note_page(uint64_t *seen, unsigned int *count, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < *count; i++)
		if (seen[i] == addr / PAGE)
			return;
	if (*count < PAGES_MAX)
		seen[(*count)++] = addr / PAGE;
}

static void map_for_writing(struct guest *guest, unsigned int *tried, unsigned int *mapped,
			    unsigned int *pages)
{
	uint64_t seen[PAGES_MAX];
	struct mapping mapping;
	struct kept *kept;

	for (kept = guest->kept; kept; kept = kept->next) {
		if (kept->mapping.write)
			continue;
		++*tried;
		if (guest_map(kept->memory, kept->mapping.addr, kept->mapping.len, true, &mapping))
			continue;
		++*mapped;
		note_page(seen, pages, kept->mapping.addr);
		memset(mapping.data, 0xee, kept->mapping.len);
		guest_unmap(kept->memory, &mapping);
	}
}

static void set_attack(struct device *dev, enum attack attack)
{
	unsigned int i;

	dev->attack = attack;
	for (i = 0; i < dev->nr_queues; i++)
		dev->queue[i].kicked |= dev->queue[i].ready;
}

static void all_kept(struct device **device, unsigned int count, const char *line)
{
	struct guest *guest = device[0]->memory.guest;
	unsigned int tried = 0, mapped = 0, pages = 0;

	if (!strcmp(line, "keep")) {
		guest->never_unmap = true;
		printf("done %s\n", line);
	} else if (!strcmp(line, "release")) {
		guest->never_unmap = false;
		guest_drop_kept(guest);
		printf("done %s\n", line);
	} else if (!strcmp(line, "scribble")) {
		printf("done %s: %u pages\n", line, scribble(guest, device, count));
	} else if (!strcmp(line, "writable")) {
		map_for_writing(guest, &tried, &mapped, &pages);
		printf("done %s: %u of %u, on %u pages\n", line, mapped, tried, pages);
	} else {
		printf("bad line: %s\n", line);
	}
}

static void handle(char *line, struct device **device, unsigned int count)
{
	char *name = strchr(line, ' ');
	size_t attack, len;
	unsigned int i;

	if (!name) {
		all_kept(device, count, line);
		return;
	}
	len = name++ - line;
	for (attack = 0; attack < sizeof(names) / sizeof(*names); attack++) {
		if (strlen(names[attack]) != len || strncmp(names[attack], line, len))
			continue;
		for (i = 0; i < count; i++) {
			if (strcmp(device[i]->name, name))
				continue;
			set_attack(device[i], attack);
			printf("done %s\n", line);
			return;
		}
	}
	printf("bad line: %s\n", line);
}

void attack_read(int fd, struct device **device, unsigned int count)
{
	char text[LINE_MAX], *rest = text, *line;
	ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		return;
	text[len] = '\0';
	while ((line = strsep(&rest, "\n")) && *line)
		handle(line, device, count);
}
