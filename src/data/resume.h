/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_RESUME_H
#define XGD_RESUME_H

void xgd_resume_init(void);
void xgd_resume_exit(void);

#endif /* XGD_RESUME_H */
