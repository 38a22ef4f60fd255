/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_DMA_H
#define XGD_DMA_H

#include "device.h"

void xgd_dma_init(struct xgd_device *xd);

struct xgd_device *xgd_device_of(struct device *dev);

#endif /* XGD_DMA_H */
