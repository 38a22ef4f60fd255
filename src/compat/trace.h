/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_COMPAT_TRACE_H
#define XGD_COMPAT_TRACE_H

#ifdef XGD_HAVE_ASSIGN_STR_1
#define xgd_assign_str(dst, src)	__assign_str(dst)
#else
#define xgd_assign_str(dst, src)	__assign_str(dst, src)
#endif

#endif /* XGD_COMPAT_TRACE_H */
