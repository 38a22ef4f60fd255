// SPDX-License-Identifier: GPL-2.0-only
/*
 * For an xl that does not know "nr_spis" (before Xen 4.19), to be preloaded: 16
 * interrupts for each guest that it creates. There it asks for as many as the guest
 * needs for what xl itself describes, and the devices of our trees are not that.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <xenctrl.h>

#define NR_SPIS		16

int xc_domain_create(xc_interface *xch, uint32_t *pdomid,
		     struct xen_domctl_createdomain *config)
{
	int (*create)(xc_interface *xch, uint32_t *pdomid,
		      struct xen_domctl_createdomain *config);

	create = dlsym(RTLD_NEXT, "xc_domain_create");
	if (config->arch.nr_spis < NR_SPIS)
		config->arch.nr_spis = NR_SPIS;
	return create(xch, pdomid, config);
}
