// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all devices do alike.
 */
#include <stdio.h>

#include <linux/virtio_config.h>

#include "device.h"

void device_interrupt(struct device *dev, uint32_t why)
{
	dev->interrupts |= why;
	dev->set_irq(dev, true);
}

/* The driver, or its memory, is beyond help: nothing is done until a reset. */
void device_needs_reset(struct device *dev, const char *why)
{
	unsigned int i;

	printf("%s: needs reset: %s\n", dev->name, why);
	for (i = 0; i < dev->nr_queues; i++)
		queue_stop(&dev->queue[i]);
	dev->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (dev->status & VIRTIO_CONFIG_S_DRIVER_OK)
		device_interrupt(dev, DEVICE_CONFIG);
}

void device_reset(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->nr_queues; i++) {
		queue_stop(&dev->queue[i]);
		dev->queue[i].size = QUEUE_SIZE_MAX;
	}
	guest_drop_window(&dev->memory);
	dev->status = 0;
	dev->driver_features = 0;
	dev->interrupts = 0;
	dev->set_irq(dev, false);
}
