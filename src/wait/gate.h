/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_GATE_H
#define XGD_GATE_H

#include <linux/types.h>
#include <xen/interface/xen.h>

/* The names of devices are not longer, with the 0 behind them. */
#define XGD_GATED_NAME	64

/**
 * struct xgd_gated - a device that waits because the user named it
 * @domid:	the domain of its backend
 * @name:	of the device
 */
struct xgd_gated {
	domid_t	domid;
	char	name[XGD_GATED_NAME];
};

int xgd_gate_init(const struct xgd_gated *gated, unsigned int count);
void xgd_gate_exit(void);

#endif /* XGD_GATE_H */
