// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card on a tap device. The headers of the tap are those of virtio.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "device.h"

/* The longest packet, and how many buffers of an old-fashioned size it takes. */
#define PACKET_MAX	(65536 + 64)
#define BUFFERS_MAX	64

enum { RECEIVE, TRANSMIT };

static int net_open(struct device *dev)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x78, 0x67, 0x64 };
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = sizeof(struct virtio_net_hdr_mrg_rxbuf);

	if (!dev->file)
		return -EINVAL;
	dev->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (dev->fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", dev->file);
	if (ioctl(dev->fd, TUNSETIFF, &request) || ioctl(dev->fd, TUNSETVNETHDRSZ, &header))
		return -errno;
	memcpy(dev->config, mac, sizeof(mac));
	dev->features |= 1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_MRG_RXBUF;
	dev->nr_queues = 2;
	return 0;
}

static void transmit(struct device *dev, struct queue *queue)
{
	struct request *request;

	while ((request = queue_next(queue))) {
		struct iovec vector[PIECES_MAX];
		ssize_t done = 0;
		int count;

		if (request_vector(request, false, 0, 0, vector, &count))
			done = writev(dev->fd, vector, count);
		if (done > 0)
			dev->stats.bytes_read += done;
		request_complete(request, 0);
	}
}

static size_t room(struct request *request)
{
	struct iovec vector[PIECES_MAX];
	int count;

	return request_vector(request, true, 0, 0, vector, &count);
}

/* Hand a packet to the guest, in several buffers if it knows how to deal with that. */
static void receive(struct device *dev, struct queue *queue, char *packet, size_t len)
{
	bool merge = dev->driver_features & 1ULL << VIRTIO_NET_F_MRG_RXBUF;
	struct virtio_net_hdr_mrg_rxbuf *header = (void *)packet;
	struct request *request[BUFFERS_MAX];
	uint32_t written[BUFFERS_MAX];
	unsigned int count = 0, i;
	size_t total = 0, done = 0;

	do {
		request[count] = queue_next(queue);
		if (!request[count])
			goto drop;
		total += room(request[count++]);
	} while (total < len && merge && count < BUFFERS_MAX);
	if (total < len)
		goto drop;

	header->num_buffers = count;
	for (i = 0; i < count; i++) {
		written[i] = request_put(request[i], packet + done, len - done);
		done += written[i];
	}
	dev->stats.bytes_written += done;
	requests_complete(request, written, count);
	return;

drop:
	while (count)
		request_put_back(request[--count]);
}

/* A packet that comes when the guest has no buffer waits in the tap. */
static void net_input(struct device *dev)
{
	struct queue *queue = &dev->queue[RECEIVE];
	static char packet[PACKET_MAX];
	ssize_t len;

	for (;;) {
		dev->input = queue_pending(queue);
		if (!dev->input)
			return;
		len = read(dev->fd, packet, sizeof(packet));
		if (len < (ssize_t)sizeof(struct virtio_net_hdr_mrg_rxbuf))
			return;
		receive(dev, queue, packet, len);
	}
}

static void net_work(struct device *dev, struct queue *queue)
{
	if (queue == &dev->queue[TRANSMIT])
		transmit(dev, queue);
	else
		dev->input = true;
}

const struct device_type net_type = {
	.name	= "net",
	.id	= VIRTIO_ID_NET,
	.open	= net_open,
	.work	= net_work,
	.input	= net_input,
};
