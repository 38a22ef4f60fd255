/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_REVOKE_H
#define XGD_REVOKE_H

#include "device.h"

int xgd_revoke_module_init(void);
void xgd_revoke_module_exit(void);
void xgd_revoke_init(struct xgd_device *xd);
unsigned int xgd_revoke(struct xgd_device *xd, grant_ref_t first, unsigned int count);
unsigned int xgd_revoke_all(struct xgd_device *xd);
bool xgd_revoke_wait(struct xgd_device *xd, unsigned int ms);

#endif /* XGD_REVOKE_H */
