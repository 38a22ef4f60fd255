// SPDX-License-Identifier: GPL-2.0-only
/*
 * set_target DOMID TARGET: let a domain emulate devices for another, as libxl
 * does for a stub domain. Without it Xen refuses the domain's QEMU.
 */
#include <stdio.h>
#include <stdlib.h>

#include <xenctrl.h>

int main(int argc, char **argv)
{
	xc_interface *xch = xc_interface_open(NULL, NULL, 0);

	if (argc != 3) {
		fprintf(stderr, "usage: set_target DOMID TARGET\n");
		return 2;
	}
	if (!xch || xc_domain_set_target(xch, strtoul(argv[1], NULL, 0),
					 strtoul(argv[2], NULL, 0))) {
		perror("set_target");
		return 1;
	}
	return 0;
}
