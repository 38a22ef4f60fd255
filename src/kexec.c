// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another kernel takes over (kexec). It finds the grant table as this one leaves it, with
 * references that lead to memory which is its own now, and it does not know whose they
 * are. So all access ends before it begins, once the drivers have done their last work.
 *
 * What this cannot see is a crash: nothing of the old kernel runs then. The kernel for
 * that lies in memory that was never granted, see docs/security.md.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "compat/syscore.h"
#include "data/revoke.h"
#include "kexec.h"
#include "policy/anchor.h"

/* How long a backend gets to let go: QEMU takes some 50 ms. */
#define XGD_KEXEC_WAIT_MS	2000

/* What registers read as that nobody serves. */
#define XGD_STATUS_GONE		0xff

static bool xgd_kernel_follows;

static int xgd_reboot(struct notifier_block *nb, unsigned long action, void *command)
{
	xgd_kernel_follows = action == SYS_RESTART && command &&
			     !strcmp(command, "kexec reboot");

	return NOTIFY_DONE;
}

static struct notifier_block xgd_reboot_nb = { .notifier_call = xgd_reboot };

/*
 * A backend lets go of a device that is reset. Newer kernels have done so by now. Nobody
 * uses one that is broken: who waits for it, as the console does, waits no more.
 */
static void xgd_kexec_reset(struct virtio_device *vdev, struct xgd_device *xd)
{
	u8 status = vdev->config->get_status(vdev);

	virtio_break_device(vdev);
	if (status && status != XGD_STATUS_GONE)
		virtio_reset_device(vdev);
	xgd_revoke_all(xd);
}

static void xgd_kexec_wait(struct virtio_device *vdev, struct xgd_device *xd)
{
	if (!xgd_revoke_wait(xd, XGD_KEXEC_WAIT_MS))
		dev_warn(xd->dev, "domain %u still maps %u pages, which the next kernel takes for its own\n",
			 xd->domid, READ_ONCE(xd->late.count));
}

/* All devices are shut down. Tasks and interrupts still run. */
static void xgd_shutdown(void)
{
	if (!xgd_kernel_follows)
		return;

	xgd_anchor_visit(xgd_kexec_reset);
	xgd_anchor_visit(xgd_kexec_wait);
}

XGD_DEFINE_SYSCORE(xgd_kexec_syscore, shutdown, xgd_shutdown);

/**
 * xgd_kexec_init - be called before another kernel takes over
 *
 * Source: kernel_kexec() of Linux.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int xgd_kexec_init(void)
{
	int ret;

	ret = register_reboot_notifier(&xgd_reboot_nb);
	if (!ret)
		xgd_register_syscore(&xgd_kexec_syscore);

	return ret;
}

/**
 * xgd_kexec_exit - be called no more
 *
 * Context: process, may sleep.
 */
void xgd_kexec_exit(void)
{
	xgd_unregister_syscore(&xgd_kexec_syscore);
	unregister_reboot_notifier(&xgd_reboot_nb);
}
