/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_IOMMU_H
#define XGD_IOMMU_H

#ifdef CONFIG_OF_IOMMU
int xgd_iommu_init(void);
void xgd_iommu_exit(void);
#else
static inline int xgd_iommu_init(void)
{
	return 0;
}

static inline void xgd_iommu_exit(void) { }
#endif

#endif /* XGD_IOMMU_H */
