// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own grant DMA, which Debian's kernels do not have, as a module for
 * benchmarks. There is no way to unload it.
 */
#include <linux/dma-map-ops.h>
#include <linux/module.h>
#include <linux/virtio_anchor.h>

/* These are not exported, and nothing that is measured calls them. */
#define dma_common_mmap		NULL
#define dma_common_get_sgtable	NULL

#include "grant-dma-ops.c"

static int __init intree_init(void)
{
	virtio_set_mem_acc_cb(xen_virtio_restricted_mem_acc);

	return 0;
}
module_init(intree_init);
