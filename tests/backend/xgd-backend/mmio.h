/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MMIO_H
#define MMIO_H

#include <stdint.h>

#include "device.h"

/* How long the window of a device is. */
#define MMIO_SIZE	0x200

uint64_t mmio_read(struct device *dev, uint32_t offset, uint32_t size);
void mmio_write(struct device *dev, uint32_t offset, uint32_t size, uint64_t value);

#endif
