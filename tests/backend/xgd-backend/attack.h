/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A backend that was broken into: what it does wrong, and when, is told it line by
 * line (--control). attack.c has the lines.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

struct vring_used_elem;

/* Read the next lines of a control file, of which each is about one device or all. */
int attack_open(const char *control);
void attack_read(int fd, struct device **device, unsigned int count);

/* Does nobody serve the device? */
bool attack_hangs(const struct device *dev);

/* Serve a queue in the place of the device's type, or leave that to it. */
bool attack_work(struct device *dev, struct queue *queue);

/* What is put into the used ring, and how often; and what its index becomes. */
unsigned int attack_used(const struct device *dev, const struct queue *queue,
			 struct vring_used_elem *elem);
uint16_t attack_index(const struct device *dev, uint16_t index);

#endif
