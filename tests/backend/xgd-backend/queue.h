/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Split virtqueues, and the requests in them.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "guest.h"

#define QUEUE_SIZE_MAX	256
#define PIECES_MAX	QUEUE_SIZE_MAX

struct device;

struct queue {
	struct device	*dev;
	uint32_t	size;
	bool		ready;
	bool		kicked;		/* the driver says there is work */
	uint64_t	desc_addr;
	uint64_t	avail_addr;
	uint64_t	used_addr;
	struct mapping	desc;
	struct mapping	avail;
	struct mapping	used;
	uint16_t	next_avail;
	uint16_t	next_used;
	uint16_t	told_used;	/* up to here the driver knows */
	bool		event_idx;
	uint32_t	generation;	/* counts how often it was started */
};

/* A buffer of a request, in the order of the chain. */
struct piece {
	uint64_t	addr;
	uint32_t	len;
	bool		write;		/* the device writes it */
	struct mapping	mapping;
};

/*
 * A request is its own memory: it may be completed at any later time, or never.
 */
struct request {
	struct queue	*queue;
	uint16_t	head;
	uint32_t	generation;	/* of its queue */
	bool		failed;		/* a piece is not mapped */
	unsigned int	nr_pieces;
	struct piece	piece[PIECES_MAX];
};

int queue_start(struct queue *queue);
void queue_stop(struct queue *queue);

/* Have the driver tell of the next request; or it just has put one into the queue. */
bool queue_await(struct queue *queue);

/* Whether there is a request in the queue. If not, the driver tells of the next. */
bool queue_pending(struct queue *queue);

/* The next request, or NULL if there is none, or if the queue makes no sense. */
struct request *queue_next(struct queue *queue);

/* A request is done, and the device wrote so many bytes of it. */
void request_complete(struct request *request, uint32_t written);

/* Hand back all that is done: the driver gets to see it at the same time. */
void queue_tell(struct queue *queue);

/* Leave the last request that was taken in its queue, for later. */
void request_put_back(struct request *request);

/*
 * The bytes of a request's pieces in one direction, of which some at the start
 * and at the end do not count, as a vector; how many bytes that is.
 */
size_t request_vector(struct request *request, bool write, size_t skip,
		      size_t omit, struct iovec *vector, int *count);

/* Copy to or from the start of a request; how many bytes that were. */
size_t request_put(struct request *request, const void *data, size_t len);
size_t request_get(struct request *request, void *data, size_t len);

/* The last byte the device can write, or NULL. */
uint8_t *request_last_byte(struct request *request);

#endif
