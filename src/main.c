// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio over Xen grants: load and unload.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <xen/xen.h>

#include "data/refs.h"
#include "data/resume.h"
#include "data/revoke.h"
#include "kexec.h"
#include "params.h"
#include "policy/anchor.h"
#include "policy/backend.h"
#include "stats.h"
#include "wait/iommu.h"
#include "wait/wait.h"

static int __init xgd_init(void)
{
	int ret;

	if (!xen_domain()) {
		pr_info("this is no Xen guest, so there is nothing to do\n");
		return -ENODEV;
	}

	if (IS_ENABLED(CONFIG_XEN_VIRTIO) && !xgd_take_over) {
		pr_err("this kernel has its own grant DMA (CONFIG_XEN_VIRTIO); take_over=1 replaces it\n");
		return -EBUSY;
	}

	ret = xgd_params_early() ?: xgd_wait_early();
	if (ret)
		return ret;

	ret = xgd_refs_init(xgd_keep_refs.value);
	if (ret)
		return ret;

	ret = xgd_revoke_module_init();
	if (ret)
		goto err_refs;

	xgd_stats_init();
	xgd_resume_init();

	ret = xgd_kexec_init();
	if (ret)
		goto err_stats;

	xgd_backend_xenstore_init();
	ret = xgd_anchor_init();
	if (ret)
		goto err_xenstore;

	xgd_wait_init();
	xgd_params_init();

	/*
	 * Last: the devices that this lets go on are decided for already, and
	 * the module cannot go while one of them is attached.
	 */
	ret = xgd_iommu_init();
	if (ret)
		pr_warn("cannot serve xen,grant-dma nodes: %d\n", ret);

	return 0;

err_xenstore:
	xgd_backend_xenstore_exit();
	xgd_kexec_exit();
err_stats:
	xgd_resume_exit();
	xgd_stats_exit();
	xgd_revoke_module_exit();
err_refs:
	xgd_refs_exit();
	return ret;
}

static void __exit xgd_exit(void)
{
	/* First: they show what goes now. */
	xgd_stats_exit();
	xgd_iommu_exit();
	xgd_wait_exit();
	xgd_anchor_exit();
	xgd_backend_of_exit();
	xgd_backend_xenstore_exit();
	xgd_kexec_exit();
	xgd_resume_exit();
	xgd_revoke_module_exit();
	xgd_refs_exit();
}

#ifdef MODULE
module_init(xgd_init);
#else
/*
 * The drivers of drivers/virtio come before those of drivers/xen. An HVM guest of x86 has
 * no grant table before the driver of its platform device, which is one of the latter.
 */
static bool __init xgd_grants_come_late(void)
{
	return IS_ENABLED(CONFIG_X86) && xen_hvm_domain() && !xen_pvh_domain();
}

static int __init xgd_init_early(void)
{
	return xgd_grants_come_late() ? 0 : xgd_init();
}
subsys_initcall_sync(xgd_init_early);

static int __init xgd_init_late(void)
{
	return xgd_grants_come_late() ? xgd_init() : 0;
}
device_initcall(xgd_init_late);
#endif
module_exit(xgd_exit);

MODULE_DESCRIPTION("Virtio over Xen grants");
MODULE_AUTHOR("The xen_grant_dma authors");
MODULE_VERSION("0.1");
MODULE_LICENSE("GPL");
