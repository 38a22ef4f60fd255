// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test of the tests: takes the DMA ops of xen_grant_dma away again as soon
 * as it has set them. With this loaded every oracle for grants must say no.
 */
#include <linux/dma-map-ops.h>
#include <linux/module.h>
#include <linux/virtio.h>
#include <linux/virtio_anchor.h>

static bool (*chained)(struct virtio_device *vdev);

static bool plain_check(struct virtio_device *vdev)
{
	bool restricted = chained(vdev);

	set_dma_ops(vdev->dev.parent, NULL);

	return restricted;
}

static int __init plain_init(void)
{
	chained = virtio_check_mem_acc_cb;
	virtio_set_mem_acc_cb(plain_check);

	return 0;
}
module_init(plain_init);

/* It cannot be unloaded: something may have been chained to it. */
MODULE_DESCRIPTION("Test: plain DMA in place of xen_grant_dma");
MODULE_LICENSE("GPL");
