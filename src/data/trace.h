/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: events/xen_grant_dma in tracefs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_grant_dma

#if !defined(XGD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XGD_TRACE_H

#include <linux/dma-direction.h>
#include <linux/tracepoint.h>

#include "compat/trace.h"
#include "device.h"

DECLARE_EVENT_CLASS(xgd_mapping,
	TP_PROTO(struct xgd_device *xd, dma_addr_t addr, size_t size, bool readonly),
	TP_ARGS(xd, addr, size, readonly),
	TP_STRUCT__entry(
		__string(device, dev_name(xd->dev))
		__field(u64, addr)
		__field(size_t, size)
		__field(u16, domid)
		__field(bool, readonly)
	),
	TP_fast_assign(
		xgd_assign_str(device, dev_name(xd->dev));
		__entry->addr = addr;
		__entry->size = size;
		__entry->domid = xd->domid;
		__entry->readonly = readonly;
	),
	TP_printk("%s domid=%u addr=%#llx size=%zu %s", __get_str(device),
		  __entry->domid, __entry->addr, __entry->size,
		  __entry->readonly ? "ro" : "rw")
);

DEFINE_EVENT(xgd_mapping, xgd_map,
	TP_PROTO(struct xgd_device *xd, dma_addr_t addr, size_t size, bool readonly),
	TP_ARGS(xd, addr, size, readonly));

DEFINE_EVENT(xgd_mapping, xgd_unmap,
	TP_PROTO(struct xgd_device *xd, dma_addr_t addr, size_t size, bool readonly),
	TP_ARGS(xd, addr, size, readonly));

DEFINE_EVENT(xgd_mapping, xgd_alloc,
	TP_PROTO(struct xgd_device *xd, dma_addr_t addr, size_t size, bool readonly),
	TP_ARGS(xd, addr, size, readonly));

DEFINE_EVENT(xgd_mapping, xgd_free,
	TP_PROTO(struct xgd_device *xd, dma_addr_t addr, size_t size, bool readonly),
	TP_ARGS(xd, addr, size, readonly));

DECLARE_EVENT_CLASS(xgd_reference,
	TP_PROTO(struct xgd_device *xd, u32 ref),
	TP_ARGS(xd, ref),
	TP_STRUCT__entry(
		__string(device, dev_name(xd->dev))
		__field(u32, ref)
		__field(u16, domid)
	),
	TP_fast_assign(
		xgd_assign_str(device, dev_name(xd->dev));
		__entry->ref = ref;
		__entry->domid = xd->domid;
	),
	TP_printk("%s domid=%u ref=%u", __get_str(device), __entry->domid, __entry->ref)
);

/* The backend still maps a reference whose use is over. */
DEFINE_EVENT(xgd_reference, xgd_late,
	TP_PROTO(struct xgd_device *xd, u32 ref),
	TP_ARGS(xd, ref));

/* It has let go, and the reference is revoked. */
DEFINE_EVENT(xgd_reference, xgd_revoke,
	TP_PROTO(struct xgd_device *xd, u32 ref),
	TP_ARGS(xd, ref));

#endif /* XGD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH data
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
