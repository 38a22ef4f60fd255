/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_ANCHOR_H
#define XGD_ANCHOR_H

int xgd_anchor_init(void);
void xgd_anchor_exit(void);

#endif /* XGD_ANCHOR_H */
