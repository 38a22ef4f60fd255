/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_BACKEND_H
#define XGD_BACKEND_H

#include <linux/errno.h>
#include <linux/virtio.h>
#include <xen/interface/xen.h>

#include "data/device.h"

/**
 * struct xgd_backend - who serves a device
 * @domid:	the backend domain
 * @copy:	copy all data of the device
 * @page:	grant it whole pages, and copy nothing
 * @foreign:	why it is no Xen backend that serves the device, for people; or NULL
 * @source:	where this was found, for people; empty when it is not worth a line
 */
struct xgd_backend {
	domid_t	domid;
	bool	copy;
	bool	page;
	const char *foreign;
	char	source[XGD_SOURCE_LEN];
};

int xgd_backend_find(struct virtio_device *vdev, struct xgd_backend *backend);

int xgd_backend_xenstore(struct virtio_device *vdev, struct xgd_backend *backend);
void xgd_backend_xenstore_init(void);
void xgd_backend_xenstore_exit(void);

#ifdef CONFIG_OF
int xgd_backend_of(struct virtio_device *vdev, struct xgd_backend *backend);
bool xgd_in_tree(struct virtio_device *vdev);
void xgd_backend_of_exit(void);
#else
static inline int xgd_backend_of(struct virtio_device *vdev, struct xgd_backend *backend)
{
	return -ENOENT;
}

static inline bool xgd_in_tree(struct virtio_device *vdev)
{
	return false;
}

static inline void xgd_backend_of_exit(void)
{
}
#endif

#endif /* XGD_BACKEND_H */
