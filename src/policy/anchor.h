/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_ANCHOR_H
#define XGD_ANCHOR_H

struct virtio_device;
struct xgd_device;

int xgd_anchor_init(void);
void xgd_anchor_exit(void);
void xgd_anchor_visit(void (*fn)(struct virtio_device *vdev, struct xgd_device *xd));

#endif /* XGD_ANCHOR_H */
