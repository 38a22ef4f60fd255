/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_VERDICT_H
#define XGD_VERDICT_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/virtio.h>

/**
 * enum xgd_verdict - what became of a virtio device
 * @XGD_UNDECIDED:	nobody asked: it has had no driver
 * @XGD_GRANTED:	its memory goes to its backend by grants
 * @XGD_PLAIN:		it is not to use grants
 * @XGD_KERNEL:		the kernel's own code (CONFIG_XEN_VIRTIO) serves it
 * @XGD_LEFT:		it would use grants, but had its driver before the module came
 * @XGD_REFUSED:	it must use grants and cannot: it did not come up
 * @XGD_VERDICTS:	how many there are
 */
enum xgd_verdict {
	XGD_UNDECIDED,
	XGD_GRANTED,
	XGD_PLAIN,
	XGD_KERNEL,
	XGD_LEFT,
	XGD_REFUSED,
	XGD_VERDICTS
};

/**
 * struct xgd_known - a virtio device of the system
 * @list:	in the list of all of them
 * @vdev:	the device; it is there, and so is its parent, as long as this is
 * @verdict:	the last one
 * @deciding:	the next one is being found: a refusal is about this device
 * @reason:	why, for people; NULL where there is no more to say, or no memory to say it
 */
struct xgd_known {
	struct list_head	list;
	struct virtio_device	*vdev;
	enum xgd_verdict	verdict;
	bool			deciding;
	char			*reason;
};

int xgd_verdict_init(typeof_member(struct device, bus) bus);
void xgd_verdict_exit(void);

void xgd_verdict_begin(struct virtio_device *vdev);
void xgd_verdict_end(struct virtio_device *vdev, enum xgd_verdict verdict);
__printf(2, 3) void xgd_verdict_why(struct device *dev, const char *fmt, ...);
__printf(2, 3) void xgd_refuse_err(struct device *dev, const char *fmt, ...);

void xgd_known_for_each(void (*fn)(const struct xgd_known *known, void *data), void *data);

#endif /* XGD_VERDICT_H */
