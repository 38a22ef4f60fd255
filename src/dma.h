/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_DMA_H
#define XGD_DMA_H

#include "device.h"

extern const struct dma_map_ops xgd_dma_ops;

struct xgd_device *xgd_device_of(struct device *dev);

#endif /* XGD_DMA_H */
