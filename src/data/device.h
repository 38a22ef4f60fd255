/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of one DMA device whose memory goes to its backend by grants.
 */
#ifndef XGD_DEVICE_H
#define XGD_DEVICE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>

#include "compat/dma-map-ops.h"
#include "runs.h"

/* Room for what says who serves a device, for people. */
#define XGD_SOURCE_LEN		80

/* Copies lie in units of 64 bytes to a Xen page. */
#define XGD_SLOT_SHIFT_MIN	6
#define XGD_SLOT_SIZES		(XEN_PAGE_SHIFT - XGD_SLOT_SHIFT_MIN + 1)

/* The longest buffer that can be copied to pages which stay granted, in bytes. */
#define XGD_COPY_MAX		(XGD_RUN_MAX * XEN_PAGE_SIZE)

enum xgd_isolation {
	XGD_ISOLATION_BYTE,
	XGD_ISOLATION_PAGE,
	XGD_ISOLATIONS
};

extern const char *const xgd_isolation_names[XGD_ISOLATIONS];

/**
 * struct xgd_mode - how a device is served
 * @isolation:		what is granted in place: whole Xen pages that can be kept from
 *			reuse (BYTE), or every page that a buffer touches (PAGE)
 * @copy:		nothing is granted in place
 * @mark_lasting:	tell the backend that references of private pages and of coherent
 *			memory last
 * @rw_grants:		grant for reading and writing whatever the direction
 * @max_refs:		grant references that the device may have at a time
 * @max_private:	private Xen pages that it may have at a time
 * @copy_max:		buffers of up to so many bytes are copied also where they could
 *			be granted
 * @ring_entries:	rings have at most so many entries, and pieces behind them; 0:
 *			as many as the device says, and none
 */
struct xgd_mode {
	enum xgd_isolation	isolation;
	bool			copy;
	bool			mark_lasting;
	bool			rw_grants;
	unsigned int		max_refs;
	unsigned int		max_private;
	unsigned int		copy_max;
	unsigned int		ring_entries;
};

/**
 * struct xgd_cpu - what each CPU has of a device
 * @block:	where the last piece was placed, by read-only and size
 * @room:	room behind a ring, by read-only; NULL: there is none
 * @credit:	grant references that are counted for the device, but not used
 * @mapped:	mappings made so far
 * @unmapped:	mappings ended so far
 * @bytes:	bytes of all mappings made so far
 * @copied:	mappings of which at least one end was copied, so far
 * @beside_rings: those of @copied that went to pages of rings
 *
 * A mapping may end on another CPU than it was made on: only sums tell something.
 */
struct xgd_cpu {
	struct xgd_block	*block[2][XGD_SLOT_SIZES];
	struct xgd_block	*room[2];
	int			credit;
	u64			mapped;
	u64			unmapped;
	u64			bytes;
	u64			copied;
	u64			beside_rings;
};

/**
 * struct xgd_stats - what happened to a device and is rare
 * @failed:		mappings that could not be made for want of references or memory
 * @refused:		calls with arguments that can never be served
 * @late:		references that were still mapped when their mapping ended, so far
 * @unpinned:		those of @late whose memory could not be kept from its owner
 */
struct xgd_stats {
	atomic64_t	failed;
	atomic64_t	refused;
	atomic64_t	late;
	atomic64_t	unpinned;
};

/**
 * struct xgd_counted - the grant references of a device
 * @counted:		references in force, and those that CPUs have counted ahead
 * @counted_max:	the most there were at once
 * @batch:		how many a CPU counts ahead
 * @no_pool:		take them from the kernel, always
 */
struct xgd_counted {
	atomic64_t	counted;
	atomic64_t	counted_max;
	int		batch;
	bool		no_pool;
};

/**
 * struct xgd_late - references that the backend had not let go in time
 * @lock:	protects @head and @count
 * @head:	first reference of the list, linked through the reference table
 * @count:	references in the list
 * @work:	tries again to end them
 * @pause_ms:	pause before the next try
 * @since:	jiffies when the list was last empty
 * @announced:	the log has told of them
 * @drained:	woken when the list is empty again
 */
struct xgd_late {
	spinlock_t		lock;	/* protects head and count */
	grant_ref_t		head;
	unsigned int		count;
	struct delayed_work	work;
	unsigned int		pause_ms;
	unsigned long		since;
	bool			announced;
	wait_queue_head_t	drained;
};

/**
 * struct xgd_bounce - the private pages of a device
 * @lock:	protects the rest
 * @blocks:	what is granted for good, by read-only and size of its units
 * @spare:	pages that are not granted
 * @spares:	how many are in @spare
 * @keep:	how many are kept there
 * @count:	private pages, wherever they are
 * @count_max:	the most there were at once
 * @tidy:	gives back what has not been used for a while
 */
struct xgd_bounce {
	spinlock_t		lock;	/* protects the rest */
	struct list_head	blocks[2][XGD_SLOT_SIZES];
	struct list_head	spare;
	unsigned int		spares;
	unsigned int		keep;
	unsigned int		count;
	unsigned int		count_max;
	struct delayed_work	tidy;
};

/* So many pages of a device's rings can have pieces in them. */
#define XGD_ROOMS		16

/**
 * struct xgd_room - a page of a ring that has room for pieces
 * @private:	the page, NULL: there is none
 * @ref:	its reference
 * @closed:	the ring is gone
 * @units:	how many units there are, of pieces to be written and of those to be read
 * @block:	these units
 */
struct xgd_room {
	struct xgd_private	*private;
	grant_ref_t		ref;
	bool			closed;
	unsigned int		units[2];
	struct xgd_block	*block[2];
};

/**
 * struct xgd_rooms - the room behind the rings of a device
 * @lock:	protects which pages there are
 * @open:	there are some, whose rings are there, too
 * @words:	how many words of packed rings there were
 * @room:	the pages
 */
struct xgd_rooms {
	spinlock_t	lock;	/* protects which pages there are */
	bool		open;
	atomic_t	words;
	struct xgd_room	room[XGD_ROOMS];
};

/**
 * struct xgd_device - a DMA device that is served by grants
 * @ops:	what dev->dma_ops points to; leads back to this structure
 * @dev:	the DMA device, the parent of the virtio device
 * @domid:	the backend domain
 * @id:		marks the references of this device in the reference table
 * @source:	where @domid came from, for people
 * @mode:	how it is served
 * @saved_ops:	dev->dma_ops before
 * @saved_mask:	DMA mask before
 * @saved_coherent_mask: coherent DMA mask before
 * @users:	virtio devices bound on top of @dev; protected by the anchor's lock
 * @attached:	@dev->dma_ops is @ops; protected by the anchor's lock
 * @kref:	one for being attached, one while @late is not empty
 * @release:	called when the last of these is given up
 * @list:	in the list of all devices
 * @max_mapping: the longest streaming mapping, in bytes
 * @cpu:	what each CPU has for itself
 * @refs:	count of its grant references
 * @bounce:	private pages
 * @rooms:	room behind rings
 * @late:	references to end later
 * @stats:	counters
 */
struct xgd_device {
	struct dma_map_ops	ops;
	struct device		*dev;
	domid_t			domid;
	u16			id;
	char			source[XGD_SOURCE_LEN];
	struct xgd_mode		mode;

	const struct dma_map_ops *saved_ops;
	u64			saved_mask;
	u64			saved_coherent_mask;
	unsigned int		users;
	bool			attached;

	size_t			max_mapping;
	struct xgd_cpu __percpu	*cpu;

	struct kref		kref;
	void			(*release)(struct kref *kref);
	struct list_head	list;
	struct xgd_counted	refs;
	struct xgd_bounce	bounce;
	struct xgd_rooms	rooms;
	struct xgd_late		late;
	struct xgd_stats	stats;
};

/* A counter has reached a value: is that its maximum? */
static inline void xgd_note_max(atomic64_t *max, s64 value)
{
	s64 old = atomic64_read(max);

	while (value > old && !atomic64_try_cmpxchg(max, &old, value))
		;
}

/* Streaming and coherent mappings in force. */
static inline u64 xgd_mappings(const struct xgd_device *xd)
{
	const struct xgd_cpu *mine;
	u64 mappings = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		mine = per_cpu_ptr(xd->cpu, cpu);
		mappings += READ_ONCE(mine->mapped) - READ_ONCE(mine->unmapped);
	}

	return mappings;
}

/**
 * xgd_device_get - take one more reference
 * @xd:	the device; the caller holds a reference or its DMA ops are in use
 *
 * Context: any.
 */
static inline void xgd_device_get(struct xgd_device *xd)
{
	kref_get(&xd->kref);
}

/**
 * xgd_device_put - give up a reference
 * @xd:	the device; may be gone afterwards, and then the module may be too,
 *	unless something else holds it
 *
 * Context: process, may sleep.
 */
static inline void xgd_device_put(struct xgd_device *xd)
{
	kref_put(&xd->kref, xd->release);
}

struct xgd_device *xgd_device_create(struct device *dev, domid_t domid, const char *source,
				     const struct xgd_mode *mode);
void xgd_device_for_each(void (*fn)(struct xgd_device *xd, void *data), void *data);
void xgd_device_visit_stopped(void (*fn)(struct xgd_device *xd, void *data), void *data);

#endif /* XGD_DEVICE_H */
