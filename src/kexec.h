/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_KEXEC_H
#define XGD_KEXEC_H

int xgd_kexec_init(void);
void xgd_kexec_exit(void);

#endif /* XGD_KEXEC_H */
