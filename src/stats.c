// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: a block of lines for each device (xen_grant_dma/devices), what they share
 * (shared), and a block for each backend domain that devices wait for (backends).
 *
 * status is for programs: docs/status.md.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "data/bounce.h"
#include "data/device.h"
#include "data/refs.h"
#include "data/room.h"
#include "policy/verdict.h"
#include "stats.h"
#include "wait/ready.h"

/**
 * struct xgd_lines - lines of a key and a value
 * @m:		where they go
 * @indent:	what is before the key
 * @width:	of the key
 */
struct xgd_lines {
	struct seq_file	*m;
	const char	*indent;
	int		width;
};

static struct dentry *xgd_debugfs;

static __printf(3, 4) void xgd_line(const struct xgd_lines *lines, const char *key,
				    const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	seq_printf(lines->m, "%s%-*s %pV\n", lines->indent, lines->width, key, &vaf);
	va_end(args);
}

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
		sum.beside_rings += READ_ONCE(mine->beside_rings);
	}

	return sum;
}

/* What the module keeps of a device, when that has so many private pages. */
static size_t xgd_metadata(struct xgd_device *xd, unsigned int pages)
{
	return sizeof(*xd) + num_possible_cpus() * sizeof(*xd->cpu) +
	       xgd_bounce_bytes(xd, pages) + xgd_room_bytes(xd);
}

static void xgd_device_lines(const struct xgd_lines *lines, struct xgd_device *xd)
{
	struct xgd_stats *stats = &xd->stats;
	unsigned int private_max = READ_ONCE(xd->bounce.count_max);
	unsigned int private = READ_ONCE(xd->bounce.count);
	struct xgd_cpu sum = xgd_sum(xd);
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
		{ "ring_total",		sum.beside_rings },
		{ "failed",		atomic64_read(&stats->failed) },
		{ "refused",		atomic64_read(&stats->refused) },
		{ "late_total",		atomic64_read(&stats->late) },
		{ "unpinned_total",	atomic64_read(&stats->unpinned) },
		{ "private_pages",	private },
		{ "private_max",	private_max },
		{ "metadata_bytes",	xgd_metadata(xd, private) },
		{ "metadata_max",	xgd_metadata(xd, private_max) },
		{ "late",		READ_ONCE(xd->late.count) },
	};

	xgd_line(lines, "domid", "%u", xd->domid);
	xgd_line(lines, "source", "%s", xd->source);
	xgd_line(lines, "isolation", "%s", xgd_isolation_names[xd->mode.isolation]);
	xgd_line(lines, "copy", "%s", READ_ONCE(xd->mode.copy) ? "always" : "needed");
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		xgd_line(lines, counters[i].name, "%llu", counters[i].value);
}

static void xgd_show_device(struct xgd_device *xd, void *data)
{
	const struct xgd_lines lines = { .m = data, .indent = "  ", .width = 16 };

	seq_printf(lines.m, "%s\n", dev_name(xd->dev));
	xgd_line(&lines, "state", "%s", xd->attached ? "attached" : "waiting for its backend");
	xgd_device_lines(&lines, xd);
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

/* Its driver is gone, but its backend still maps some of it. */
static bool xgd_is_gone(const struct xgd_device *xd)
{
	return !READ_ONCE(xd->attached) && READ_ONCE(xd->late.count);
}

/* A device without a driver is no more what it was with one. */
static bool xgd_has_no_driver(const struct xgd_known *known)
{
	return known->verdict == XGD_UNDECIDED ||
	       (known->verdict != XGD_REFUSED && !READ_ONCE(known->vdev->dev.driver));
}

/**
 * struct xgd_counts - how many there are of everything
 * @verdicts:	devices of each verdict; those without a driver are undecided
 * @gone:	devices whose driver is gone, but not all references
 * @references:	grant references in use
 */
struct xgd_counts {
	unsigned int	verdicts[XGD_VERDICTS];
	unsigned int	gone;
	u64		references;
};

static void xgd_count_known(const struct xgd_known *known, void *data)
{
	struct xgd_counts *counts = data;

	counts->verdicts[xgd_has_no_driver(known) ? XGD_UNDECIDED : known->verdict]++;
}

static void xgd_count_device(struct xgd_device *xd, void *data)
{
	struct xgd_counts *counts = data;

	counts->gone += xgd_is_gone(xd);
	counts->references += xgd_refs_count(xd);
}

static const char *const xgd_verdict_names[XGD_VERDICTS] = {
	[XGD_UNDECIDED] = "none",
	[XGD_GRANTED] = "granted",
	[XGD_PLAIN] = "plain",
	[XGD_KERNEL] = "kernel",
	[XGD_LEFT] = "left",
	[XGD_REFUSED] = "refused",
};

/**
 * struct xgd_one - the state of one device
 * @lines:	where it goes
 * @dev:	the device
 */
struct xgd_one {
	const struct xgd_lines	*lines;
	const struct device	*dev;
};

static void xgd_show_granted(struct xgd_device *xd, void *data)
{
	const struct xgd_one *one = data;

	if (xd->dev == one->dev && READ_ONCE(xd->attached))
		xgd_device_lines(one->lines, xd);
}

/* The module of the driver may go, but not before all have left such a section. */
static void xgd_show_driver(const struct xgd_lines *lines, const struct device *dev)
{
	const struct device_driver *driver;

	rcu_read_lock();
	driver = READ_ONCE(dev->driver);
	if (driver)
		xgd_line(lines, "driver", "%s", driver->name);
	rcu_read_unlock();
}

static void xgd_show_known(const struct xgd_known *known, void *data)
{
	const struct device *dev = &known->vdev->dev;
	const struct xgd_lines *lines = data;
	struct xgd_one one = { .lines = lines, .dev = dev->parent };
	enum xgd_verdict verdict = xgd_has_no_driver(known) ? XGD_UNDECIDED : known->verdict;

	seq_puts(lines->m, "\n");
	xgd_line(lines, "device", "%s", dev_name(dev->parent));
	xgd_line(lines, "name", "%s", dev_name(dev));
	xgd_show_driver(lines, dev);
	xgd_line(lines, "verdict", "%s", xgd_verdict_names[verdict]);
	if (verdict == XGD_GRANTED)
		xgd_device_for_each(xgd_show_granted, &one);
	else if (verdict != XGD_UNDECIDED && known->reason)
		xgd_line(lines, "reason", "%s", known->reason);
}

static void xgd_show_gone(struct xgd_device *xd, void *data)
{
	const struct xgd_lines *lines = data;

	if (!xgd_is_gone(xd))
		return;
	seq_puts(lines->m, "\n");
	xgd_line(lines, "device", "%s", dev_name(xd->dev));
	xgd_line(lines, "verdict", "gone");
	xgd_device_lines(lines, xd);
}

static int status_show(struct seq_file *m, void *unused)
{
	struct xgd_lines lines = { .m = m, .indent = "" };
	struct xgd_counts counts = {};
	struct xgd_refs_usage usage;
	unsigned int i;

	xgd_refs_usage(&usage);
	xgd_known_for_each(xgd_count_known, &counts);
	xgd_device_for_each(xgd_count_device, &counts);

	xgd_line(&lines, "format", "1");
	for (i = 0; i < XGD_VERDICTS; i++)
		xgd_line(&lines, xgd_verdict_names[i], "%u", counts.verdicts[i]);
	xgd_line(&lines, "gone", "%u", counts.gone);
	xgd_line(&lines, "references", "%llu", counts.references);
	xgd_line(&lines, "references_limit", "%u", usage.may_take);

	xgd_known_for_each(xgd_show_known, &lines);
	xgd_device_for_each(xgd_show_gone, &lines);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

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
	debugfs_create_file("status", 0400, xgd_debugfs, NULL, &status_fops);
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
