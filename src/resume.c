// SPDX-License-Identifier: GPL-2.0-only
/*
 * After "xl restore" or a migration the guest goes on in a new domain, whose grant
 * table is empty. What is granted is granted again, before anything runs that could
 * use it: private pages, which outlive a suspend, and what drivers kept mapped,
 * which they ought not to (the log tells, see anchor.c).
 *
 * A suspend that was cancelled, or one that Xen has no part in, leaves the table as
 * it was. There ending a grant and making it again changes nothing, and one that
 * the backend maps cannot be ended and is left alone.
 */
#include <linux/mm.h>
#include <xen/page.h>

#include "bounce.h"
#include "compat/syscore.h"
#include "device.h"
#include "refs.h"
#include "resume.h"

static void xgd_grant_again(struct xgd_device *xd, grant_ref_t ref)
{
	struct xgd_ref *entry = xgd_refs_entry(ref);
	bool readonly = entry->flags & XGD_REF_READONLY;

	if (!gnttab_end_foreign_access_ref(ref))
		return;

	if (entry->flags & XGD_REF_PRIVATE)
		xgd_refs_grant_private(xd, ref, entry->private,
				       virt_to_phys(entry->private->vaddr), readonly);
	else
		xgd_refs_grant(xd, ref, 1,
			       page_to_phys(entry->page) + entry->part * XEN_PAGE_SIZE, readonly);
}

static void xgd_resume_device(struct xgd_device *xd, void *data)
{
	grant_ref_t ref = 0;

	if (!xd->attached)
		return;

	while ((ref = xgd_refs_next_of(xd->id, ref)) != XGD_REF_NONE)
		xgd_grant_again(xd, ref++);
}

/* One CPU, no interrupts; the kernel has set up the grant table. */
static void xgd_resume(void)
{
	xgd_device_visit_stopped(xgd_resume_device, NULL);
}

XGD_DEFINE_SYSCORE(xgd_syscore, xgd_resume);

/**
 * xgd_resume_init - be called when the system resumes
 *
 * Source: xen_suspend() of Linux.
 *
 * Context: process, may sleep.
 */
void xgd_resume_init(void)
{
	xgd_register_syscore(&xgd_syscore);
}

/**
 * xgd_resume_exit - be called no more
 *
 * Context: process, may sleep.
 */
void xgd_resume_exit(void)
{
	xgd_unregister_syscore(&xgd_syscore);
}
