/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHURN_H
#define CHURN_H

struct device;

int churn_run(struct device *dev);

#endif
