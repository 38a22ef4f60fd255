/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen tells us what a guest does to the windows of our devices.
 */
#ifndef IOREQ_H
#define IOREQ_H

#include <stdbool.h>
#include <stdint.h>

struct ioreq_server;

typedef uint64_t ioreq_handler(void *data, uint64_t addr, uint32_t size,
			       bool write, uint64_t value);

struct ioreq_server *ioreq_open(uint32_t domid, ioreq_handler *handler, void *data);
int ioreq_add_window(struct ioreq_server *server, uint64_t base, uint64_t size);

/* From now on the guest may run. */
int ioreq_enable(struct ioreq_server *server);

/* A descriptor to poll; when it can be read, handle all there is. */
int ioreq_fd(const struct ioreq_server *server);
void ioreq_handle(struct ioreq_server *server);

int ioreq_set_irq(struct ioreq_server *server, uint32_t irq, bool level);

/* An event channel that the guest offers: the local port, or a negative error. */
int ioreq_bind_port(struct ioreq_server *server, uint32_t port);
int ioreq_notify(struct ioreq_server *server, int port);

/* By what name Xen knows it. */
unsigned int ioreq_id(const struct ioreq_server *server);
void ioreq_close(struct ioreq_server *server);

#endif
