/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device: its registers (virtio-mmio, version 2) and its queues.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "queue.h"

#define QUEUES_MAX	8
#define CONFIG_SIZE	64

/* What an interrupt says. */
#define DEVICE_USED	1
#define DEVICE_CONFIG	2

/* What a device does wrong; see attack.c. */
enum attack {
	ATTACK_NONE,
	ATTACK_EARLY,
	ATTACK_TWICE,
	ATTACK_ID_RANGE,
	ATTACK_ID_FREE,
	ATTACK_LENGTH,
	ATTACK_INDEX,
	ATTACK_HANG,
};

struct device;

/* What makes it a disk, or whatever it is. */
struct device_type {
	const char	*name;
	uint32_t	id;
	int		(*open)(struct device *dev);
	/* The driver is ready. */
	void		(*start)(struct device *dev);
	/* The driver has put requests into a queue. */
	void		(*work)(struct device *dev, struct queue *queue);
	/* There is something to read from dev->fd, if it is not negative. */
	void		(*input)(struct device *dev);
};

struct device {
	const struct device_type	*type;
	char				name[16];
	struct memory			memory;
	enum attack			attack;

	/* What the command line says. */
	uint64_t			base;
	uint32_t			irq;		/* arm64: an SPI */
	uint32_t			port;		/* or an event channel of the guest */
	int				local_port;
	const char			*file;		/* blk: the disk; net: the tap */
	bool				readonly;
	bool				access_platform;
	uint64_t			features;
	unsigned int			nr_queues;

	/* What the driver sees. */
	uint8_t				config[CONFIG_SIZE];
	uint32_t			status;
	uint32_t			interrupts;
	uint32_t			features_sel;
	uint32_t			driver_features_sel;
	uint64_t			driver_features;
	uint32_t			queue_sel;
	struct queue			queue[QUEUES_MAX];

	int				fd;
	void				*state;		/* what else its type needs */
	bool				input;		/* wait for input on fd */
	void				(*set_irq)(struct device *dev, bool level);
};

extern const struct device_type blk_type, net_type, rng_type;

void device_reset(struct device *dev);
void device_interrupt(struct device *dev, uint32_t why);
void device_needs_reset(struct device *dev, const char *why);

#endif
