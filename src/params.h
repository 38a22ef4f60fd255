/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_PARAMS_H
#define XGD_PARAMS_H

#include <linux/list.h>
#include <xen/interface/xen.h>

#include "device.h"

/**
 * struct xgd_rule - one entry of backend=
 * @list:	in the order given
 * @none:	"none": no grants for these devices
 * @domid:	otherwise, the backend domain
 * @selector:	PCI address, device name or "*"
 */
struct xgd_rule {
	struct list_head	list;
	bool			none;
	domid_t			domid;
	char			selector[];
};

enum xgd_access_platform {
	XGD_ACCESS_PLATFORM_REQUIRE,
	XGD_ACCESS_PLATFORM_PREFER,
};

extern struct list_head xgd_backend_rules;
extern bool xgd_force_grant;
extern int xgd_access_platform;
extern bool xgd_rebind;
extern bool xgd_take_over;

void xgd_params_mode(struct xgd_mode *mode);
void xgd_params_exit(void);

#endif /* XGD_PARAMS_H */
