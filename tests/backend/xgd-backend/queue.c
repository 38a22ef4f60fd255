// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split virtqueues. The guest owns what lies in them, and may change it at any
 * time: each value is read once, and checked before it is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "attack.h"
#include "queue.h"

static uint16_t read_once(const uint16_t *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

static int map_ring(struct queue *queue, uint64_t addr, uint64_t len,
		    struct mapping *ring)
{
	struct device *dev = queue->dev;

	/* No driver needs that, and it keeps the fields below aligned. */
	if (addr % 4)
		return -EINVAL;
	return guest_map(&dev->memory, addr, len, true, ring);
}

int queue_start(struct queue *queue)
{
	size_t size = queue->size;

	if (!size || size > QUEUE_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if (map_ring(queue, queue->desc_addr, size * sizeof(struct vring_desc), &queue->desc) ||
	    map_ring(queue, queue->avail_addr, 6 + size * 2, &queue->avail) ||
	    map_ring(queue, queue->used_addr, 6 + size * sizeof(struct vring_used_elem),
		     &queue->used)) {
		queue_stop(queue);
		return -EFAULT;
	}
	queue->next_avail = 0;
	queue->next_used = 0;
	queue->told_used = 0;
	queue->event_idx = queue->dev->driver_features & 1ULL << VIRTIO_RING_F_EVENT_IDX;
	queue->generation++;
	queue->ready = true;
	return 0;
}

void queue_stop(struct queue *queue)
{
	struct device *dev = queue->dev;

	queue->ready = false;
	queue->kicked = false;
	guest_unmap(&dev->memory, &queue->desc);
	guest_unmap(&dev->memory, &queue->avail);
	guest_unmap(&dev->memory, &queue->used);
}

/* Append one table's chain of descriptors to a request. */
static int collect(struct request *request, const struct vring_desc *table,
		   uint32_t size, uint32_t index, struct vring_desc *indirect)
{
	struct vring_desc desc;
	uint32_t seen = 0;

	do {
		if (index >= size || seen++ == size)
			return -EINVAL;
		memcpy(&desc, &table[index], sizeof(desc));
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (!indirect || desc.flags & VRING_DESC_F_NEXT)
				return -EINVAL;
			*indirect = desc;
			return 0;
		}
		if (request->nr_pieces == PIECES_MAX)
			return -EINVAL;
		request->piece[request->nr_pieces++] = (struct piece){
			.addr = desc.addr,
			.len = desc.len,
			.write = desc.flags & VRING_DESC_F_WRITE,
		};
		index = desc.next;
	} while (desc.flags & VRING_DESC_F_NEXT);
	return 0;
}

static int collect_indirect(struct request *request, const struct vring_desc *indirect)
{
	struct device *dev = request->queue->dev;
	struct mapping table;
	int ret;

	if (!indirect->len || indirect->len % sizeof(*indirect) || indirect->addr % 4)
		return -EINVAL;
	if (guest_map(&dev->memory, indirect->addr, indirect->len, false, &table))
		return -EFAULT;
	ret = collect(request, table.data, indirect->len / sizeof(*indirect), 0, NULL);
	guest_unmap(&dev->memory, &table);
	return ret;
}

static void map_pieces(struct request *request)
{
	struct device *dev = request->queue->dev;
	unsigned int i;

	for (i = 0; i < request->nr_pieces; i++) {
		struct piece *piece = &request->piece[i];

		if (guest_map(&dev->memory, piece->addr, piece->len,
			      piece->write, &piece->mapping))
			request->failed = true;
	}
}

static bool is_pending(const struct queue *queue)
{
	const struct vring_avail *avail = queue->avail.data;

	return read_once(&avail->idx) != queue->next_avail;
}

/* Of which request the driver is to tell (VIRTIO_RING_F_EVENT_IDX). */
static uint16_t *avail_event(const struct queue *queue)
{
	struct vring_used *used = queue->used.data;

	return (uint16_t *)&used->ring[queue->size];
}

bool queue_await(struct queue *queue)
{
	const struct vring_avail *avail = queue->avail.data;
	uint16_t index;

	if (!queue->ready || !queue->event_idx)
		return false;
	index = read_once(&avail->idx);
	__atomic_store_n(avail_event(queue), index, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return read_once(&avail->idx) != index;
}

bool queue_pending(struct queue *queue)
{
	if (!queue->ready)
		return false;
	if (!is_pending(queue))
		queue_await(queue);
	/* One that came meanwhile was not told of. */
	return is_pending(queue);
}

struct request *queue_next(struct queue *queue)
{
	const struct vring_avail *avail = queue->avail.data;
	struct vring_desc indirect = { .len = 0, .flags = 0 };
	struct device *dev = queue->dev;
	struct request *request;
	int ret;

	if (!queue_pending(queue))
		return NULL;
	request = malloc(sizeof(*request));
	if (!request)
		return NULL;
	request->queue = queue;
	request->failed = false;
	request->nr_pieces = 0;
	request->generation = queue->generation;
	request->head = read_once(&avail->ring[queue->next_avail % queue->size]);
	queue->next_avail++;
	ret = collect(request, queue->desc.data, queue->size, request->head, &indirect);
	if (!ret && indirect.flags & VRING_DESC_F_INDIRECT)
		ret = collect_indirect(request, &indirect);
	if (ret) {
		free(request);
		device_needs_reset(dev, "a chain of descriptors makes no sense");
		return NULL;
	}
	dev->memory.stats.requests++;
	map_pieces(request);
	return request;
}

static void unmap_pieces(struct request *request)
{
	struct device *dev = request->queue->dev;
	unsigned int i;

	for (i = 0; i < request->nr_pieces; i++)
		guest_unmap(&dev->memory, &request->piece[i].mapping);
}

void request_complete(struct request *request, uint32_t written)
{
	struct vring_used_elem elem = { .id = request->head, .len = written };
	struct queue *queue = request->queue;
	struct vring_used *used = queue->used.data;
	unsigned int times;

	unmap_pieces(request);
	if (queue->ready && request->generation == queue->generation) {
		times = attack_used(queue->dev, queue, &elem);
		while (times--)
			used->ring[queue->next_used++ % queue->size] = elem;
	}
	free(request);
}

/* Does the driver want to be told, now that there is more than it was told of? */
static bool wants_interrupt(const struct queue *queue)
{
	const struct vring_avail *avail = queue->avail.data;

	if (!queue->event_idx)
		return !(read_once(&avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	return vring_need_event(read_once(&avail->ring[queue->size]), queue->next_used,
				queue->told_used);
}

void queue_tell(struct queue *queue)
{
	struct vring_used *used = queue->used.data;

	if (!queue->ready || queue->told_used == queue->next_used)
		return;
	queue->next_used = attack_index(queue->dev, queue->next_used);
	__atomic_store_n(&used->idx, queue->next_used, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (wants_interrupt(queue))
		device_interrupt(queue->dev, DEVICE_USED);
	queue->told_used = queue->next_used;
}

void request_put_back(struct request *request)
{
	struct queue *queue = request->queue;

	unmap_pieces(request);
	if (queue->ready && request->generation == queue->generation)
		queue->next_avail--;
	free(request);
}

size_t request_vector(struct request *request, bool write, size_t skip,
		      size_t omit, struct iovec *vector, int *count)
{
	size_t total = 0, len, left;
	unsigned int i;

	*count = 0;
	for (i = 0; i < request->nr_pieces; i++)
		if (request->piece[i].write == write)
			total += request->piece[i].len;
	if (total <= skip + omit)
		return 0;
	total -= skip + omit;

	left = total;
	for (i = 0; i < request->nr_pieces && left; i++) {
		struct piece *piece = &request->piece[i];

		if (piece->write != write)
			continue;
		if (skip >= piece->len) {
			skip -= piece->len;
			continue;
		}
		if (!piece->mapping.data)
			return 0;
		len = piece->len - skip;
		if (len > left)
			len = left;
		vector[*count].iov_base = (char *)piece->mapping.data + skip;
		vector[*count].iov_len = len;
		++*count;
		left -= len;
		skip = 0;
	}
	return total;
}

static size_t copy(struct request *request, bool write, void *data, size_t len)
{
	struct iovec vector[PIECES_MAX];
	size_t done = 0, part;
	int count, i;

	request_vector(request, write, 0, 0, vector, &count);
	for (i = 0; i < count && done < len; i++) {
		part = vector[i].iov_len;
		if (part > len - done)
			part = len - done;
		if (write)
			memcpy(vector[i].iov_base, (char *)data + done, part);
		else
			memcpy((char *)data + done, vector[i].iov_base, part);
		done += part;
	}
	return done;
}

size_t request_put(struct request *request, const void *data, size_t len)
{
	return copy(request, true, (void *)data, len);
}

size_t request_get(struct request *request, void *data, size_t len)
{
	return copy(request, false, data, len);
}

uint8_t *request_last_byte(struct request *request)
{
	unsigned int i = request->nr_pieces;

	while (i-- > 0) {
		struct piece *piece = &request->piece[i];

		if (piece->write)
			return piece->mapping.data ?
			       (uint8_t *)piece->mapping.data + piece->len - 1 : NULL;
	}
	return NULL;
}
