// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: a block of lines for each device (xen_grant_dma/devices), what they share
 * (shared), and a block for each backend domain that devices wait for (backends).
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "bounce.h"
#include "device.h"
#include "ready.h"
#include "refs.h"
#include "stats.h"

static struct dentry *xgd_debugfs;

static struct xgd_cpu xgd_sum(struct xgd_device *xd)
{
	const struct xgd_cpu *mine;
	struct xgd_cpu sum = {};
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		mine = per_cpu_ptr(xd->cpu, cpu);
		sum.mapped += READ_ONCE(mine->mapped);
		sum.bytes += READ_ONCE(mine->bytes);
		sum.copied += READ_ONCE(mine->copied);
	}

	return sum;
}

/* What the module keeps of a device, when that has so many private pages. */
static size_t xgd_metadata(struct xgd_device *xd, unsigned int pages)
{
	return sizeof(*xd) + num_possible_cpus() * sizeof(*xd->cpu) + xgd_bounce_bytes(xd, pages);
}

static void xgd_show_device(struct xgd_device *xd, void *data)
{
	struct xgd_stats *stats = &xd->stats;
	unsigned int private_max = READ_ONCE(xd->bounce.count_max);
	unsigned int private = READ_ONCE(xd->bounce.count);
	struct xgd_cpu sum = xgd_sum(xd);
	struct seq_file *m = data;
	unsigned int i;
	const struct {
		const char *name;
		u64 value;
	} counters[] = {
		{ "mappings",		xgd_mappings(xd) },
		{ "references",		xgd_refs_count(xd) },
		{ "references_max",	atomic64_read(&xd->refs.counted_max) },
		{ "mapped_total",	sum.mapped },
		{ "bytes_total",	sum.bytes },
		{ "copied_total",	sum.copied },
		{ "failed",		atomic64_read(&stats->failed) },
		{ "refused",		atomic64_read(&stats->refused) },
		{ "late_total",		atomic64_read(&stats->late) },
		{ "unpinned_total",	atomic64_read(&stats->unpinned) },
	};

	seq_printf(m, "%s\n", dev_name(xd->dev));
	seq_printf(m, "  %-16s %s\n", "state",
		   xd->attached ? "attached" : "waiting for its backend");
	seq_printf(m, "  %-16s %u\n", "domid", xd->domid);
	seq_printf(m, "  %-16s %s\n", "source", xd->source);
	seq_printf(m, "  %-16s %s\n", "isolation", xgd_isolation_names[xd->mode.isolation]);
	seq_printf(m, "  %-16s %s\n", "copy", READ_ONCE(xd->mode.copy) ? "always" : "needed");
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		seq_printf(m, "  %-16s %llu\n", counters[i].name, counters[i].value);
	seq_printf(m, "  %-16s %u\n", "private_pages", private);
	seq_printf(m, "  %-16s %u\n", "private_max", private_max);
	seq_printf(m, "  %-16s %zu\n", "metadata_bytes", xgd_metadata(xd, private));
	seq_printf(m, "  %-16s %zu\n", "metadata_max", xgd_metadata(xd, private_max));
	seq_printf(m, "  %-16s %u\n", "late", READ_ONCE(xd->late.count));
}

static int devices_show(struct seq_file *m, void *unused)
{
	xgd_device_for_each(xgd_show_device, m);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(devices);

static int shared_show(struct seq_file *m, void *unused)
{
	struct xgd_refs_usage usage;

	xgd_refs_usage(&usage);
	seq_printf(m, "%-18s %u\n", "references", usage.taken);
	seq_printf(m, "%-18s %u\n", "references_limit", usage.may_take);
	seq_printf(m, "%-18s %u\n", "pool_references", usage.pool);
	seq_printf(m, "%-18s %u\n", "pool_free", usage.free);
	seq_printf(m, "%-18s %zu\n", "table_bytes", usage.bytes);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(shared);

static void xgd_show_ready(struct xgd_ready *ready, void *data)
{
	struct xgd_waiter *waiter;
	struct seq_file *m = data;

	seq_printf(m, "domain %u\n", ready->domid);
	seq_printf(m, "  %-16s %s\n", "state",
		   ready->ready ? "ready" : ready->gave_up ? "given up" : "waiting");
	seq_printf(m, "  %-16s %s\n", "source", ready->source);
	seq_printf(m, "  %-16s %s\n", "signal", ready->signal);
	seq_printf(m, "  %-16s", "devices");
	list_for_each_entry(waiter, &ready->devices, list)
		seq_printf(m, " %s", waiter->name);
	seq_puts(m, "\n");
}

static int backends_show(struct seq_file *m, void *unused)
{
	xgd_ready_for_each(xgd_show_ready, m);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(backends);

/**
 * xgd_stats_init - make the files
 *
 * Context: process, may sleep. Without debugfs there are no files.
 */
void xgd_stats_init(void)
{
	xgd_debugfs = debugfs_create_dir("xen_grant_dma", NULL);
	debugfs_create_file("devices", 0400, xgd_debugfs, NULL, &devices_fops);
	debugfs_create_file("shared", 0400, xgd_debugfs, NULL, &shared_fops);
	if (IS_ENABLED(CONFIG_OF_IOMMU))
		debugfs_create_file("backends", 0400, xgd_debugfs, NULL, &backends_fops);
}

/**
 * xgd_stats_exit - remove the files, once nobody reads them
 *
 * Context: process, may sleep.
 */
void xgd_stats_exit(void)
{
	debugfs_remove(xgd_debugfs);
}
