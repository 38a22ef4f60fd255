/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_SIGNAL_H
#define XGD_SIGNAL_H

#include <xen/interface/event_channel.h>
#include <xen/interface/xen.h>

int xgd_signal_evtchn(domid_t domid, evtchn_port_t port);
void xgd_signal_evtchn_exit(void);

int xgd_signal_xenstore(domid_t domid);
void xgd_signal_xenstore_exit(void);

#endif /* XGD_SIGNAL_H */
