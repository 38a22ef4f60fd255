// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another user of virtio's memory-access callback.
 *
 * Loaded before xen_grant_dma, it shows whether that asks those before it, and
 * puts them back: the parameters "calls" and "installed" tell. With pause_ms= it has
 * them wait for its answer.
 *
 * Loaded after xen_grant_dma with plain=1, it is the test of the tests: it takes
 * the DMA ops away as soon as they are set. Every oracle for grants must say no.
 */
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/module.h>
#include <linux/virtio.h>
#include <linux/virtio_anchor.h>

static bool plain;
module_param(plain, bool, 0444);
MODULE_PARM_DESC(plain, "have devices use plain DMA (default: N)");

static uint pause_ms;
module_param(pause_ms, uint, 0644);
MODULE_PARM_DESC(pause_ms, "how long an answer takes, in milliseconds (default: 0)");

static uint calls;
module_param(calls, uint, 0444);
MODULE_PARM_DESC(calls, "how often virtio, or who came after, asked");

static bool (*chained)(struct virtio_device *vdev);

static bool hook(struct virtio_device *vdev)
{
	bool restricted = chained(vdev);

	calls++;
	msleep(pause_ms);
	if (plain)
		set_dma_ops(vdev->dev.parent, NULL);

	return restricted;
}

static int installed_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%d\n", virtio_check_mem_acc_cb == hook);
}

static const struct kernel_param_ops installed_ops = { .get = installed_get };

module_param_cb(installed, &installed_ops, NULL, 0444);
MODULE_PARM_DESC(installed, "virtio asks this module, not one that came after");

static int __init hook_init(void)
{
	chained = virtio_check_mem_acc_cb;
	virtio_set_mem_acc_cb(hook);

	return 0;
}
module_init(hook_init);

/* It cannot be unloaded: something may have been chained to it. */
MODULE_DESCRIPTION("Test: another virtio memory-access callback");
MODULE_LICENSE("GPL");
