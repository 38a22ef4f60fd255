// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for the random number generator that hands its backend one descriptor with a
 * reference to which nothing is granted. The parameter "state" tells what the device makes
 * of it: "waits", "broken" (it asks for a reset) or "done".
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ring.h>

#include "xen_grant_dma.h"

#define BYTES	64

/* Far from all that a guest of the tests uses. */
#define REFERENCE	20000

static struct virtio_device *device;
static bool done;

static int state_get(char *buffer, const struct kernel_param *kp)
{
	if (!device)
		return sprintf(buffer, "none\n");
	if (device->config->get_status(device) & VIRTIO_CONFIG_S_NEEDS_RESET)
		return sprintf(buffer, "broken\n");

	return sprintf(buffer, "%s\n", done ? "done" : "waits");
}

static const struct kernel_param_ops state_ops = { .get = state_get };

module_param_cb(state, &state_ops, NULL, 0444);
MODULE_PARM_DESC(state, "what the device makes of it");

static void bad_used(struct virtqueue *vq)
{
	done = true;
}

static int bad_probe(struct virtio_device *vdev)
{
	struct virtqueue *vq = virtio_find_single_vq(vdev, bad_used, "bad");
	struct scatterlist sg;
	void *buffer;
	int ret;

	if (IS_ERR(vq))
		return PTR_ERR(vq);

	buffer = kzalloc(BYTES, GFP_KERNEL);
	if (!buffer) {
		ret = -ENOMEM;
		goto no_buffer;
	}
	virtio_device_ready(vdev);
	sg_init_one(&sg, buffer, BYTES);
	ret = virtqueue_add_inbuf(vq, &sg, 1, buffer, GFP_KERNEL);
	if (ret)
		goto not_added;

	/* The first descriptor of a new ring; who unmaps it goes by a note of its own. */
	virtqueue_get_vring(vq)->desc[0].addr =
		cpu_to_virtio64(vdev, xen_grant_dma_addr(REFERENCE, 0));
	vdev->priv = buffer;
	device = vdev;
	virtqueue_kick(vq);

	return 0;

not_added:
	virtio_reset_device(vdev);
	kfree(buffer);
no_buffer:
	vdev->config->del_vqs(vdev);

	return ret;
}

static void bad_remove(struct virtio_device *vdev)
{
	device = NULL;
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	kfree(vdev->priv);
}

static const struct virtio_device_id ids[] = {
	{ VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID },
	{ }
};

static struct virtio_driver bad = {
	.driver.name	= KBUILD_MODNAME,
	.id_table	= ids,
	.probe		= bad_probe,
	.remove		= bad_remove,
};
module_virtio_driver(bad);

MODULE_DESCRIPTION("Test: a driver with a bad descriptor");
MODULE_LICENSE("GPL");
