/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_MICRO_H
#define XGD_MICRO_H

#include <linux/device.h>

int micro_measure(struct device *dev);

#endif /* XGD_MICRO_H */
