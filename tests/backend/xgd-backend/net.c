// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card on a tap device. The headers of the tap are those of virtio.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

/* A packet that waits for the guest to have room for it. */
struct net {
	size_t	len;
	char	packet[PACKET_MAX];
};

static int net_open(struct device *dev)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x78, 0x67, 0x64 };
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = sizeof(struct virtio_net_hdr_mrg_rxbuf);

	if (!dev->file)
		return -EINVAL;
	dev->state = calloc(1, sizeof(struct net));
	if (!dev->state)
		return -ENOMEM;
	dev->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (dev->fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", dev->file);
	if (ioctl(dev->fd, TUNSETIFF, &request) || ioctl(dev->fd, TUNSETVNETHDRSZ, &header))
		return -errno;
	memcpy(dev->config, mac, sizeof(mac));
	dev->features |= 1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_MRG_RXBUF |
			 1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM |
			 1ULL << VIRTIO_NET_F_HOST_TSO4 | 1ULL << VIRTIO_NET_F_HOST_TSO6 |
			 1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6;
	dev->nr_queues = 2;
	return 0;
}

/* What the tap may leave to the guest. */
static void net_start(struct device *dev)
{
	static const struct {
		unsigned int	feature, offload;
	} offloads[] = {
		{ VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM },
		{ VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
		{ VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 },
	};
	unsigned int i, set = 0;

	for (i = 0; i < sizeof(offloads) / sizeof(*offloads); i++)
		if (dev->driver_features & 1ULL << offloads[i].feature)
			set |= offloads[i].offload;
	((struct net *)dev->state)->len = 0;
	if (ioctl(dev->fd, TUNSETOFFLOAD, set))
		printf("%s: no offload: %s\n", dev->name, strerror(errno));
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
			dev->memory.stats.bytes_read += done;
		request_complete(request, 0);
	}
	queue_tell(queue);
}

static size_t room(struct request *request)
{
	struct iovec vector[PIECES_MAX];
	int count;

	return request_vector(request, true, 0, 0, vector, &count);
}

/*
 * Hand a packet to the guest, in several buffers if it knows how to deal with that;
 * or leave it for later.
 */
static bool receive(struct device *dev, struct queue *queue, char *packet, size_t len)
{
	bool merge = dev->driver_features & 1ULL << VIRTIO_NET_F_MRG_RXBUF;
	struct virtio_net_hdr_mrg_rxbuf *header = (void *)packet;
	struct request *request[BUFFERS_MAX];
	size_t total = 0, done = 0, part;
	unsigned int count = 0, i;

	do {
		request[count] = queue_next(queue);
		if (!request[count])
			goto put_back;
		total += room(request[count++]);
	} while (total < len && merge && count < BUFFERS_MAX);

	/* What no number of buffers can take is cut. */
	header->num_buffers = count;
	for (i = 0; i < count; i++) {
		part = request_put(request[i], packet + done, len - done);
		request_complete(request[i], part);
		done += part;
	}
	dev->memory.stats.bytes_written += done;
	return true;

put_back:
	while (count)
		request_put_back(request[--count]);
	return false;
}

/* The next packet, from the tap if none waits. */
static bool next_packet(struct device *dev, struct net *net)
{
	ssize_t len;

	if (net->len)
		return true;
	len = read(dev->fd, net->packet, sizeof(net->packet));
	if (len < (ssize_t)sizeof(struct virtio_net_hdr_mrg_rxbuf))
		return false;
	net->len = len;
	return true;
}

static void net_input(struct device *dev)
{
	struct queue *queue = &dev->queue[RECEIVE];
	struct net *net = dev->state;

	/* It is the driver that tells of new buffers, and the tap of new packets. */
	dev->input = false;
	while (queue_pending(queue)) {
		dev->input = !next_packet(dev, net);
		if (dev->input)
			break;
		if (receive(dev, queue, net->packet, net->len))
			net->len = 0;
		else if (!queue_await(queue))
			break;
	}
	queue_tell(queue);
}

static void net_work(struct device *dev, struct queue *queue)
{
	if (queue == &dev->queue[TRANSMIT])
		transmit(dev, queue);
	else
		net_input(dev);
}

const struct device_type net_type = {
	.name	= "net",
	.id	= VIRTIO_ID_NET,
	.open	= net_open,
	.start	= net_start,
	.work	= net_work,
	.input	= net_input,
};
