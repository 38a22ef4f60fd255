// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of access, now or later.
 *
 * Xen does not take a page away from a backend that has it mapped: ending such
 * a grant fails. That is normal: QEMU lets go of the rings some 50 ms after the
 * device was reset. Until the backend has let go, the reference stays in use
 * and its page is pinned, so that whoever owned the page may free it but nobody
 * can get it. A worker tries again, with growing pauses, for as long as it takes.
 *
 * Late references are linked through the reference table, so that nothing has
 * to be allocated to keep them.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/mm.h>

#include "bounce.h"
#include "refs.h"
#include "revoke.h"
#include "room.h"
#include "trace.h"

#define XGD_PAUSE_MIN_MS	10
#define XGD_PAUSE_MAX_MS	10000
/* Later than this is worth a line in the log. */
#define XGD_ANNOUNCE_MS		1000

static struct workqueue_struct *xgd_workqueue;

/**
 * xgd_revoke_module_init - set up what all devices share
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int xgd_revoke_module_init(void)
{
	xgd_workqueue = alloc_workqueue("xen_grant_dma", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);

	return xgd_workqueue ? 0 : -ENOMEM;
}

/**
 * xgd_revoke_module_exit - wait for the workers to return
 *
 * No device is left, so no work is pending; but the worker that gave up the
 * last one may still have to return.
 *
 * Context: process, may sleep.
 */
void xgd_revoke_module_exit(void)
{
	destroy_workqueue(xgd_workqueue);
}

/*
 * Keep a page from being used for something else. Slab memory and the tail
 * pages of a high-order allocation have no reference count of their own.
 */
static bool xgd_pin(struct page *page)
{
	struct page *head = compound_head(page);

	return !PageSlab(head) && get_page_unless_zero(head);
}

/* End one reference if the backend does not map it. It is given back then. */
static bool xgd_try_end(struct xgd_device *xd, grant_ref_t ref, struct xgd_ref *entry)
{
	/* Cleared first: once ended, the reference can be anybody's. */
	WRITE_ONCE(entry->owner, 0);
	if (xgd_refs_end_and_free(xd, ref))
		return true;

	WRITE_ONCE(entry->owner, xd->id);
	return false;
}

static void xgd_late_add(struct xgd_device *xd, grant_ref_t ref, struct xgd_ref *entry)
{
	struct xgd_late *late = &xd->late;
	unsigned long flags;
	bool first;

	atomic64_inc(&xd->stats.late);
	if (entry->flags & XGD_REF_PRIVATE) {
		entry->page = xgd_bounce_disown(xd, entry->private);
	} else if (!xgd_pin(entry->page)) {
		entry->page = NULL;
		atomic64_inc(&xd->stats.unpinned);
		dev_warn_ratelimited(xd->dev,
				     "domain %u still maps reference %u, whose memory cannot be kept from reuse\n",
				     xd->domid, ref);
	}
	trace_xgd_late(xd, ref);

	spin_lock_irqsave(&late->lock, flags);
	first = !late->count;
	WRITE_ONCE(entry->flags, XGD_REF_LATE);
	entry->next = late->head;
	late->head = ref;
	late->count++;
	if (first) {
		late->since = jiffies;
		late->announced = false;
		late->pause_ms = XGD_PAUSE_MIN_MS;
		xgd_device_get(xd);
		queue_delayed_work(xgd_workqueue, &late->work,
				   msecs_to_jiffies(late->pause_ms));
	}
	spin_unlock_irqrestore(&late->lock, flags);
}

/* Try a list of late references again; what is still mapped is the new list. */
static unsigned int xgd_late_retry(struct xgd_device *xd, grant_ref_t *head, grant_ref_t *tail)
{
	grant_ref_t ref, next, kept = XGD_REF_NONE;
	unsigned int ended = 0;

	*tail = XGD_REF_NONE;
	for (ref = *head; ref != XGD_REF_NONE; ref = next) {
		struct xgd_ref *entry = xgd_refs_known(ref);
		struct page *page = entry->page;

		next = entry->next;
		if (xgd_try_end(xd, ref, entry)) {
			trace_xgd_revoke(xd, ref);
			if (page)
				put_page(compound_head(page));
			ended++;
			cond_resched();
			continue;
		}
		if (kept == XGD_REF_NONE)
			*tail = ref;
		entry->next = kept;
		kept = ref;
	}
	*head = kept;

	return ended;
}

static void xgd_late_work(struct work_struct *work)
{
	struct xgd_late *late = container_of(to_delayed_work(work), struct xgd_late, work);
	struct xgd_device *xd = container_of(late, struct xgd_device, late);
	unsigned int ended, left, ms;
	grant_ref_t head, tail;

	spin_lock_irq(&late->lock);
	head = late->head;
	late->head = XGD_REF_NONE;
	spin_unlock_irq(&late->lock);

	ended = xgd_late_retry(xd, &head, &tail);

	spin_lock_irq(&late->lock);
	if (head != XGD_REF_NONE) {
		xgd_refs_known(tail)->next = late->head;
		late->head = head;
	}
	late->count -= ended;
	left = late->count;
	ms = jiffies_to_msecs(jiffies - late->since);
	if (left) {
		late->pause_ms = min(2 * late->pause_ms, XGD_PAUSE_MAX_MS);
		queue_delayed_work(xgd_workqueue, &late->work,
				   msecs_to_jiffies(late->pause_ms));
	}
	spin_unlock_irq(&late->lock);

	if (left) {
		if (ms >= XGD_ANNOUNCE_MS && !late->announced) {
			late->announced = true;
			dev_warn(xd->dev,
				 "domain %u still maps %u pages %u ms after their use; they are kept until it lets go\n",
				 xd->domid, left, ms);
		}
		return;
	}

	if (late->announced)
		dev_info(xd->dev, "domain %u has let go of all pages after %u ms\n",
			 xd->domid, ms);
	wake_up_all(&late->drained);
	xgd_device_put(xd);
}

/*
 * What becomes of a reference whose use is over: its private page is copied back, if
 * it is wanted, once the backend cannot write to it any more.
 */
static void xgd_ended(struct xgd_device *xd, struct xgd_private *private, bool copy_back)
{
	if (copy_back)
		xgd_bounce_copy_back(private);
	xgd_bounce_put(xd, private);
}

static void xgd_not_ended(struct xgd_device *xd, grant_ref_t ref, struct xgd_ref *entry,
			  bool copy_back)
{
	if (copy_back && entry->flags & XGD_REF_PRIVATE)
		xgd_bounce_copy_back(entry->private);
	xgd_late_add(xd, ref, entry);
}

/* To the kernel, without a line in the log. Its list of free ones stays sorted backwards. */
static unsigned int xgd_revoke_lasting(struct xgd_device *xd, grant_ref_t first,
				       unsigned int count, bool copy_back)
{
	unsigned int i, late = 0;

	for (i = count; i--; ) {
		struct xgd_ref *entry = xgd_refs_known(first + i);
		struct xgd_private *private = NULL;

		/* Once ended, the entry can be anybody's. */
		if (entry->flags & XGD_REF_PRIVATE) {
			private = entry->private;
			xgd_room_gone(xd, private);
		}
		if (!xgd_try_end(xd, first + i, entry)) {
			xgd_not_ended(xd, first + i, entry, copy_back);
			late++;
		} else if (private) {
			xgd_ended(xd, private, copy_back);
		}
	}

	return late;
}

/*
 * References of the pool go back to it as they came. Where that fails the kernel
 * writes a line to the log. So that a backend cannot fill it, that is tried once: the
 * device's references are ended in another way then, and come from elsewhere.
 */
static unsigned int xgd_revoke_pooled(struct xgd_device *xd, grant_ref_t first,
				      unsigned int count, bool copy_back)
{
	grant_ref_t ref, end = first + count;

	for (ref = first; ref < end; ref++) {
		struct xgd_ref *entry = xgd_refs_known(ref);

		if (unlikely(!gnttab_end_foreign_access_ref(ref))) {
			WRITE_ONCE(xd->refs.no_pool, true);
			xgd_refs_free(xd, first, ref - first);
			return xgd_revoke_lasting(xd, ref, end - ref, copy_back);
		}
		WRITE_ONCE(entry->owner, 0);
		if (entry->flags & XGD_REF_PRIVATE)
			xgd_ended(xd, entry->private, copy_back);
	}
	xgd_refs_free(xd, first, count);

	return 0;
}

/* Private pages that nobody has used for a while. */
static void xgd_tidy_work(struct work_struct *work)
{
	struct xgd_bounce *bounce = container_of(to_delayed_work(work), struct xgd_bounce, tidy);
	struct xgd_device *xd = container_of(bounce, struct xgd_device, bounce);
	unsigned int count;
	grant_ref_t first;

	while ((count = xgd_bounce_take_idle(xd, &first)))
		xgd_revoke_more(xd, first, count, false);
	while ((first = xgd_room_take_closed(xd)) != XGD_REF_NONE)
		xgd_revoke_more(xd, first, 1, false);
	xgd_bounce_find_idle(xd);
}

/**
 * xgd_revoke_init - a device begins with no late references
 * @xd:	the device
 *
 * Context: any.
 */
void xgd_revoke_init(struct xgd_device *xd)
{
	INIT_DEFERRABLE_WORK(&xd->bounce.tidy, xgd_tidy_work);
	spin_lock_init(&xd->late.lock);
	xd->late.head = XGD_REF_NONE;
	INIT_DELAYED_WORK(&xd->late.work, xgd_late_work);
	init_waitqueue_head(&xd->late.drained);
}

/**
 * xgd_revoke_more - the same as xgd_revoke(), where that takes more work
 * @xd:		their device
 * @first:	the first reference
 * @count:	how many
 * @copy_back:	copy private pages of a run to the memory that they stand for
 *
 * Context: any. The caller owns the memory until this returns.
 * Return: how many pages the backend still maps.
 */
unsigned int xgd_revoke_more(struct xgd_device *xd, grant_ref_t first, unsigned int count,
			     bool copy_back)
{
	return likely(xgd_refs_pooled(first) && !READ_ONCE(xd->refs.no_pool)) ?
	       xgd_revoke_pooled(xd, first, count, copy_back) :
	       xgd_revoke_lasting(xd, first, count, copy_back);
}

/**
 * xgd_revoke_all - end all access, also to what a driver left behind
 * @xd:	the device; no driver is bound to it
 *
 * virtio_rng for one removes its queue with a buffer still in it: the memory
 * went back to the kernel while the backend could write to it.
 *
 * Context: process, may sleep: there can be millions of references.
 * Return: how many mappings there were.
 */
unsigned int xgd_revoke_all(struct xgd_device *xd)
{
	u64 mappings = xgd_mappings(xd);
	grant_ref_t ref = 0;

	xgd_bounce_close(xd);
	while ((ref = xgd_refs_next_of(xd->id, ref)) != XGD_REF_NONE) {
		xgd_revoke_more(xd, ref++, 1, false);
		cond_resched();
	}
	this_cpu_add(xd->cpu->unmapped, mappings);

	return mappings;
}

/**
 * xgd_revoke_wait - wait until the backend has let go of everything
 * @xd:	the device
 * @ms:	for how long at most, in milliseconds
 *
 * Context: process, may sleep.
 * Return: whether it has.
 */
bool xgd_revoke_wait(struct xgd_device *xd, unsigned int ms)
{
	return wait_event_timeout(xd->late.drained, !READ_ONCE(xd->late.count),
				  msecs_to_jiffies(ms)) > 0;
}
