/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/syscore_ops.h> for a function that is to run when the system resumes, or when it
 * goes down.
 */
#ifndef XGD_COMPAT_SYSCORE_H
#define XGD_COMPAT_SYSCORE_H

#include <linux/syscore_ops.h>

/*
 * XGD_DEFINE_SYSCORE(name, when, fn) - what xgd_register_syscore(&name) takes, to have
 * void fn(void) called when the system does that: resume or shutdown.
 */
#ifdef XGD_HAVE_SYSCORE
#define XGD_DEFINE_SYSCORE(name, when, fn)					\
static void name##_call(void *data)						\
{										\
	fn();									\
}										\
										\
static const struct syscore_ops name##_ops = { .when = name##_call };		\
static struct syscore name = { .ops = &name##_ops }

#define xgd_register_syscore	register_syscore
#define xgd_unregister_syscore	unregister_syscore
#else
#define XGD_DEFINE_SYSCORE(name, when, fn)					\
static struct syscore_ops name = { .when = fn }

#define xgd_register_syscore	register_syscore_ops
#define xgd_unregister_syscore	unregister_syscore_ops
#endif

#endif /* XGD_COMPAT_SYSCORE_H */
