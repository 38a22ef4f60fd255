// SPDX-License-Identifier: GPL-2.0-only
/*
 * set-target DOMID TARGET: let a domain emulate devices for another, as libxl does for a
 * stub domain. Without it Xen refuses the domain's QEMU.
 *
 * libxenctrl's name has the version of Xen, and the package of this program is for more
 * than one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_of(const char *file)
{
	FILE *in = fopen(file, "r");
	int number = -1;

	if (in) {
		if (fscanf(in, "%d", &number) != 1)
			number = -1;
		fclose(in);
	}
	return number;
}

int main(int argc, char **argv)
{
	void *(*interface_open)(void *logger, void *dombuild_logger, unsigned int flags);
	int (*set_target)(void *xch, uint32_t domid, uint32_t target);
	char name[64];
	void *library, *xch;

	if (argc != 3) {
		fprintf(stderr, "usage: set-target DOMID TARGET\n");
		return 2;
	}
	snprintf(name, sizeof(name), "libxenctrl.so.%d.%d", number_of("/sys/hypervisor/version/major"),
		 number_of("/sys/hypervisor/version/minor"));
	library = dlopen(name, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "set-target: %s\n", dlerror());
		return 1;
	}
	interface_open = dlsym(library, "xc_interface_open");
	set_target = dlsym(library, "xc_domain_set_target");
	if (!interface_open || !set_target) {
		fprintf(stderr, "set-target: %s has not what it takes\n", name);
		return 1;
	}
	xch = interface_open(NULL, NULL, 0);
	if (!xch || set_target(xch, strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10))) {
		fprintf(stderr, "set-target: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
