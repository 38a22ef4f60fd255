/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in <linux/virtio.h> and <linux/virtio_config.h>.
 */
#ifndef XGD_COMPAT_VIRTIO_H
#define XGD_COMPAT_VIRTIO_H

#include <linux/virtio.h>
#include <linux/virtio_config.h>

/* Does the device offer one of the first 64 features, whatever its driver takes? */
static inline bool xgd_offers(struct virtio_device *vdev, unsigned int feature)
{
#ifdef XGD_HAVE_EXTENDED_FEATURES
	u64 features[VIRTIO_FEATURES_U64S];

	virtio_get_features(vdev, features);

	return features[0] & BIT_ULL(feature);
#else
	return vdev->config->get_features(vdev) & BIT_ULL(feature);
#endif
}

/* Does its transport map memory by itself, past the DMA API? */
static inline bool xgd_maps_itself(const struct virtio_device *vdev)
{
#ifdef XGD_HAVE_VIRTIO_MAP
	return vdev->map;
#else
	return false;
#endif
}

#endif /* XGD_COMPAT_VIRTIO_H */
