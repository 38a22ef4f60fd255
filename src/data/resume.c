// SPDX-License-Identifier: GPL-2.0-only
/*
 * After "xl restore" or a migration the guest goes on in a new domain, whose grant
 * table is empty. What is granted is granted again, before anything runs that could
 * use it: private pages, which outlive a suspend, and what drivers kept mapped,
 * which they ought not to (the log tells, see anchor.c).
 *
 * A suspend that was cancelled, or one that Xen has no part in, leaves the table as
 * it was. There ending a grant and making it again changes nothing. One that the
 * backend maps cannot be ended, which an entry of version 1 says itself: it is left
 * alone. That a version 2 entry is mapped is noted elsewhere, and trying to end it
 * takes the grant away: it is just written again.
 */
#include <linux/mm.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>

#include <asm/xen/hypercall.h>

#include "bounce.h"
#include "compat/syscore.h"
#include "device.h"
#include "refs.h"
#include "resume.h"

static bool xgd_is_version_2(void)
{
	struct gnttab_get_version version = { .dom = DOMID_SELF };

	return !HYPERVISOR_grant_table_op(GNTTABOP_get_version, &version, 1) &&
	       version.version == 2;
}

static void xgd_grant_again(struct xgd_device *xd, grant_ref_t ref, bool version_2)
{
	struct xgd_ref *entry = xgd_refs_entry(ref);
	bool readonly = entry->flags & XGD_REF_READONLY;
	u8 ring = entry->flags & XGD_REF_RING;

	if (!version_2 && !gnttab_end_foreign_access_ref(ref))
		return;

	if (entry->flags & XGD_REF_PRIVATE) {
		xgd_refs_grant_private(xd, ref, entry->private,
				       virt_to_phys(entry->private->vaddr), readonly);
		entry->flags |= ring;
	} else {
		xgd_refs_grant(xd, ref, 1,
			       page_to_phys(entry->page) + entry->part * XEN_PAGE_SIZE, readonly);
	}
}

static void xgd_resume_device(struct xgd_device *xd, void *data)
{
	bool *version_2 = data;
	grant_ref_t ref = 0;

	if (!xd->attached)
		return;

	while ((ref = xgd_refs_next_of(xd->id, ref)) != XGD_REF_NONE)
		xgd_grant_again(xd, ref++, *version_2);
}

/* One CPU, no interrupts; the kernel has set up the grant table. */
static void xgd_resume(void)
{
	bool version_2 = xgd_is_version_2();

	xgd_device_visit_stopped(xgd_resume_device, &version_2);
}

XGD_DEFINE_SYSCORE(xgd_resume_syscore, resume, xgd_resume);

/**
 * xgd_resume_init - be called when the system resumes
 *
 * Source: xen_suspend() of Linux.
 *
 * Context: process, may sleep.
 */
void xgd_resume_init(void)
{
	xgd_register_syscore(&xgd_resume_syscore);
}

/**
 * xgd_resume_exit - be called no more
 *
 * Context: process, may sleep.
 */
void xgd_resume_exit(void)
{
	xgd_unregister_syscore(&xgd_resume_syscore);
}
