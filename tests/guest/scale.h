/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_SCALE_H
#define XGD_SCALE_H

#include <linux/device.h>

int scale_measure(struct device *dev);

#endif /* XGD_SCALE_H */
