// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk in a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "device.h"

#define SECTOR	512

static int blk_open(struct device *dev)
{
	struct virtio_blk_config config = { .num_queues = dev->nr_queues };
	struct stat stat;

	if (!dev->file)
		return -EINVAL;
	dev->fd = open(dev->file, dev->readonly ? O_RDONLY : O_RDWR);
	if (dev->fd < 0 || fstat(dev->fd, &stat))
		return -errno;
	config.capacity = stat.st_size / SECTOR;
	config.seg_max = PIECES_MAX - 2;
	memcpy(dev->config, &config, sizeof(config));
	dev->features |= 1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_FLUSH;
	if (dev->readonly)
		dev->features |= 1ULL << VIRTIO_BLK_F_RO;
	if (dev->nr_queues > 1)
		dev->features |= 1ULL << VIRTIO_BLK_F_MQ;
	return 0;
}

static uint8_t transfer(struct device *dev, struct request *request, bool read,
			uint64_t sector, uint32_t *written)
{
	struct iovec vector[PIECES_MAX];
	uint64_t left;
	ssize_t done;
	size_t len;
	int count;

	if (read)
		len = request_vector(request, true, 0, 1, vector, &count);
	else
		len = request_vector(request, false, sizeof(struct virtio_blk_outhdr), 0,
				     vector, &count);
	if (!len || len % SECTOR)
		return VIRTIO_BLK_S_IOERR;
	memcpy(&left, dev->config, sizeof(left));
	if (sector > left || len / SECTOR > left - sector)
		return VIRTIO_BLK_S_IOERR;

	if (read)
		done = preadv(dev->fd, vector, count, sector * SECTOR);
	else
		done = pwritev(dev->fd, vector, count, sector * SECTOR);
	if (done != (ssize_t)len)
		return VIRTIO_BLK_S_IOERR;
	if (read) {
		*written = len;
		dev->memory.stats.bytes_written += len;
	} else {
		dev->memory.stats.bytes_read += len;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t serve(struct device *dev, struct request *request, uint32_t *written)
{
	struct virtio_blk_outhdr header;
	char id[VIRTIO_BLK_ID_BYTES] = "";

	if (request->failed ||
	    request_get(request, &header, sizeof(header)) != sizeof(header))
		return VIRTIO_BLK_S_IOERR;
	switch (header.type) {
	case VIRTIO_BLK_T_IN:
		return transfer(dev, request, true, header.sector, written);
	case VIRTIO_BLK_T_OUT:
		if (dev->readonly)
			return VIRTIO_BLK_S_IOERR;
		return transfer(dev, request, false, header.sector, written);
	case VIRTIO_BLK_T_FLUSH:
		return fdatasync(dev->fd) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		memcpy(id, dev->name, strlen(dev->name));
		*written = request_put(request, id, sizeof(id));
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static void blk_work(struct device *dev, struct queue *queue)
{
	struct request *request;

	while ((request = queue_next(queue))) {
		uint8_t *status = request_last_byte(request);
		uint32_t written = 0;
		uint8_t result;

		/* There is no other way to tell the driver. */
		if (!status) {
			request_complete(request, 0);
			device_needs_reset(dev, "a request has no status byte");
			return;
		}
		result = serve(dev, request, &written);
		*status = result;
		request_complete(request, written + 1);
	}
	queue_tell(queue);
}

const struct device_type blk_type = {
	.name	= "blk",
	.id	= VIRTIO_ID_BLOCK,
	.open	= blk_open,
	.work	= blk_work,
};
