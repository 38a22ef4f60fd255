// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_time DOMID: how the time of the machine was spent so far, in ns: all of it,
 * what its processors had to do, and of that what dom0 and the domain had. Where
 * time is a count of instructions, so are these.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <xenctrl.h>

static uint64_t domain_time(xc_interface *xch, uint32_t domid)
{
	xc_domaininfo_t info;

	if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 || info.domain != domid) {
		fprintf(stderr, "cpu_time: there is no domain %u\n", domid);
		exit(1);
	}

	return info.cpu_time;
}

int main(int argc, char **argv)
{
	xc_interface *xch = xc_interface_open(NULL, NULL, 0);
	xc_cpuinfo_t cpus[8];
	struct timespec now;
	uint64_t ns, idle = 0;
	int i, n;

	if (argc != 2) {
		fprintf(stderr, "usage: cpu_time DOMID\n");
		return 2;
	}
	if (!xch || xc_getcpuinfo(xch, 8, cpus, &n) || clock_gettime(CLOCK_MONOTONIC, &now)) {
		perror("cpu_time");
		return 1;
	}
	for (i = 0; i < n; i++)
		idle += cpus[i].idletime;
	ns = n * (now.tv_sec * UINT64_C(1000000000) + now.tv_nsec);

	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", ns, ns - idle,
	       domain_time(xch, 0), domain_time(xch, strtoul(argv[1], NULL, 0)));
	return 0;
}
