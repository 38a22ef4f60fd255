/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_WAIT_H
#define XGD_WAIT_H

struct device;

#ifdef CONFIG_OF_IOMMU
int xgd_wait_early(void);
void xgd_wait_init(void);
void xgd_wait_exit(void);
void xgd_wait_for_node(struct device *dev);
#else
static inline int xgd_wait_early(void) { return 0; }
static inline void xgd_wait_init(void) { }
static inline void xgd_wait_exit(void) { }
#endif

#endif /* XGD_WAIT_H */
