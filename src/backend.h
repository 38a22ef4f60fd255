/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_BACKEND_H
#define XGD_BACKEND_H

#include <linux/virtio.h>
#include <xen/interface/xen.h>

/**
 * struct xgd_backend - who serves a device
 * @domid:	the backend domain
 * @source:	where this was found, for people
 */
struct xgd_backend {
	domid_t	domid;
	char	source[48];
};

int xgd_backend_find(struct virtio_device *vdev, struct xgd_backend *backend);

#endif /* XGD_BACKEND_H */
