// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of virtio-mmio, version 2.
 */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include "mmio.h"

#define MAGIC	0x74726976	/* "virt" */
#define VENDOR	0x64677800	/* "xgd" */

static struct queue *selected(struct device *dev)
{
	return dev->queue_sel < dev->nr_queues ? &dev->queue[dev->queue_sel] : NULL;
}

static uint64_t read_config(struct device *dev, uint32_t offset, uint32_t size)
{
	uint64_t value = 0;

	if (size <= sizeof(value) && offset <= CONFIG_SIZE - size)
		memcpy(&value, dev->config + offset, size);
	return value;
}

uint64_t mmio_read(struct device *dev, uint32_t offset, uint32_t size)
{
	struct queue *queue = selected(dev);

	if (offset >= VIRTIO_MMIO_CONFIG)
		return read_config(dev, offset - VIRTIO_MMIO_CONFIG, size);
	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return 2;
	case VIRTIO_MMIO_DEVICE_ID:
		return dev->type->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		if (dev->features_sel > 1)
			return 0;
		return (uint32_t)(dev->features >> 32 * dev->features_sel);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return queue ? QUEUE_SIZE_MAX : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return queue && queue->ready;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return dev->interrupts;
	case VIRTIO_MMIO_STATUS:
		return dev->status;
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
		return UINT32_MAX;
	default:
		return 0;
	}
}

static void set_low(uint64_t *addr, uint32_t value)
{
	*addr = (*addr & ~(uint64_t)UINT32_MAX) | value;
}

static void set_high(uint64_t *addr, uint32_t value)
{
	*addr = (*addr & UINT32_MAX) | (uint64_t)value << 32;
}

static void set_driver_features(struct device *dev, uint32_t value)
{
	if (dev->driver_features_sel == 0)
		set_low(&dev->driver_features, value);
	else if (dev->driver_features_sel == 1)
		set_high(&dev->driver_features, value);
}

static void set_ready(struct queue *queue, uint32_t value)
{
	queue_stop(queue);
	if (value && queue_start(queue))
		device_needs_reset(queue->dev, "a queue cannot be mapped");
}

static void set_status(struct device *dev, uint32_t value)
{
	if (!value) {
		device_reset(dev);
		return;
	}
	if (value & VIRTIO_CONFIG_S_FEATURES_OK &&
	    (dev->driver_features & ~dev->features ||
	     !(dev->driver_features & 1ULL << VIRTIO_F_VERSION_1)))
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	/* Only a reset takes that back. */
	value |= dev->status & VIRTIO_CONFIG_S_NEEDS_RESET;
	if (dev->type->start && value & ~dev->status & VIRTIO_CONFIG_S_DRIVER_OK)
		dev->type->start(dev);
	dev->status = value;
}

static void write_queue(struct queue *queue, uint32_t offset, uint32_t value)
{
	if (offset == VIRTIO_MMIO_QUEUE_READY) {
		set_ready(queue, value);
		return;
	}
	/* What a queue in use is made of does not change. */
	if (queue->ready)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		queue->size = value;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		set_low(&queue->desc_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_high(&queue->desc_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		set_low(&queue->avail_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_high(&queue->avail_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		set_low(&queue->used_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_high(&queue->used_addr, value);
		break;
	}
}

void mmio_write(struct device *dev, uint32_t offset, uint32_t size, uint64_t value)
{
	if (size != 4 || offset >= VIRTIO_MMIO_CONFIG)
		return;
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		dev->features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		set_driver_features(dev, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		dev->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		dev->queue_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		if (value < dev->nr_queues)
			dev->queue[value].kicked = true;
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		dev->interrupts &= ~value;
		if (!dev->interrupts)
			dev->set_irq(dev, false);
		break;
	case VIRTIO_MMIO_STATUS:
		set_status(dev, value);
		break;
	default:
		if (selected(dev))
			write_queue(selected(dev), offset, value);
	}
}
