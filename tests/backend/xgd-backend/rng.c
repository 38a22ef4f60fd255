// SPDX-License-Identifier: GPL-2.0-only
/*
 * A source of random numbers.
 */
#include <sys/random.h>

#include <linux/virtio_ids.h>

#include "device.h"

static int rng_open(struct device *dev)
{
	dev->nr_queues = 1;
	return 0;
}

static void rng_work(struct device *dev, struct queue *queue)
{
	struct request *request;

	while ((request = queue_next(queue))) {
		struct iovec vector[PIECES_MAX];
		uint32_t written = 0;
		ssize_t len;
		int count, i;

		request_vector(request, true, 0, 0, vector, &count);
		for (i = 0; i < count; i++) {
			len = getrandom(vector[i].iov_base, vector[i].iov_len, 0);
			if (len > 0)
				written += len;
		}
		dev->memory.stats.bytes_written += written;
		request_complete(request, written);
	}
	queue_tell(queue);
}

const struct device_type rng_type = {
	.name	= "rng",
	.id	= VIRTIO_ID_RNG,
	.open	= rng_open,
	.work	= rng_work,
};
