// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-ready: tell a guest that this domain's virtio backends serve it. To be run
 * when the last of them does. See docs/waiting.md.
 *
 *	cc -o virtio-ready virtio-ready.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Source: <xen/evtchn.h> of Linux, of which older copies lack the first. */
#define EVTCHN_BIND_STATIC	_IOC(_IOC_NONE, 'E', 7, sizeof(unsigned int))
#define EVTCHN_NOTIFY		_IOC(_IOC_NONE, 'E', 4, sizeof(unsigned int))

static const char usage[] =
	"usage: virtio-ready -p PORT            by a static event channel (dom0less)\n"
	"       virtio-ready -x GUEST [DOMID]   by xenstore\n"
	"\n"
	"  PORT   this domain's end of the channel, as the host's device tree has it\n"
	"  GUEST  the id of the guest\n"
	"  DOMID  the id of this domain, 0 if left out\n";

static void die(const char *what)
{
	fprintf(stderr, "virtio-ready: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || value > 0x7fffffff) {
		fputs(usage, stderr);
		exit(2);
	}
	return value;
}

/* The port is Xen's: it is open before this program and stays so after it. */
static void by_event(unsigned int port)
{
	int fd = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/xen/evtchn");
	if (ioctl(fd, EVTCHN_BIND_STATIC, &port) < 0)
		die("no static event channel, or a kernel (6.1, say) that cannot use one");
	if (ioctl(fd, EVTCHN_NOTIFY, &port) < 0)
		die("no event");
}

static void by_xenstore(unsigned int guest, unsigned int domid)
{
	char key[80];

	snprintf(key, sizeof(key), "/local/domain/%u/data/virtio-ready/%u", guest, domid);
	execlp("xenstore-write", "xenstore-write", key, "1", NULL);
	die("xenstore-write");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-p"))
		by_event(number(argv[2]));
	else if ((argc == 3 || argc == 4) && !strcmp(argv[1], "-x"))
		by_xenstore(number(argv[2]), argc == 4 ? number(argv[3]) : 0);
	else
		number("");
	return 0;
}
