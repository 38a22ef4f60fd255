/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_STATS_H
#define XGD_STATS_H

void xgd_stats_init(void);
void xgd_stats_exit(void);

#endif /* XGD_STATS_H */
