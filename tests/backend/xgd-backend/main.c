// SPDX-License-Identifier: GPL-2.0-only
/*
 * xgd-backend: virtio-mmio devices for one guest, over grants and nothing else.
 *
 * At the end, and on SIGUSR1, it prints a line for each device:
 *
 *	stats N NAME requests=N read=N written=N maps=N pages=N mapped=N plain=N failures=N
 *
 * and then "stats N end", N counting such reports. See struct stats.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "attack.h"
#include "device.h"
#include "ioreq.h"
#include "mmio.h"

#define DEVICES_MAX	16

struct backend {
	struct guest		guest;
	struct ioreq_server	*server;
	struct device		*device[DEVICES_MAX];
	unsigned int		nr_devices;
	unsigned int		reports;
	int			control;
};

/* There is one; a device's interrupt needs it. */
static struct backend backend = { .control = -1 };

static const char usage[] =
	"usage: xgd-backend --domid N [OPTION]... --device TYPE,base=ADDRESS,irq=N|port=N[,...]...\n"
	"\n"
	"  --device blk,base=A,irq=N,file=DISK[,queues=N][,readonly]\n"
	"  --device net,base=A,irq=N,file=TAP\n"
	"  --device rng,base=A,irq=N\n"
	"           ,irq=N               arm64: its interrupt, an SPI\n"
	"           ,port=N              its interrupt, an event channel that the guest offers\n"
	"           ,no-indirect         offer no indirect descriptors\n"
	"           ,no-event-idx        offer no VIRTIO_RING_F_EVENT_IDX\n"
	"           ,no-access-platform  do not offer VIRTIO_F_ACCESS_PLATFORM\n"
	"  --allow-plain                serve addresses that are no grants, too\n"
	"  --keep-grants                map each grant once, until the device is reset\n"
	"  --never-unmap                unmap no grant (SIGUSR2: unmap those kept so far)\n"
	"  --control FIFO               read from there what to do wrong (see attack.c)\n"
	"\n"
	"Prints \"ready\" when the guest may run. SIGUSR1 prints counters.\n";

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
	fprintf(stderr, "xgd-backend: %s: %s\n", what, why);
	exit(1);
}

static void set_irq(struct device *dev, bool level)
{
	int ret = 0;

	if (!dev->port)
		ret = ioreq_set_irq(backend.server, dev->irq, level);
	else if (level)
		ret = ioreq_notify(backend.server, dev->local_port);
	if (ret)
		printf("%s: no interrupt: %s\n", dev->name, strerror(errno));
}

static const struct device_type *find_type(const char *name)
{
	static const struct device_type *const types[] = { &blk_type, &net_type, &rng_type };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	die(name, "no such type of device");
}

static uint64_t number(const char *what, const char *value)
{
	char *end = NULL;
	uint64_t result = value ? strtoull(value, &end, 0) : 0;

	if (!value || !*value || *end)
		die(what, "needs a number");
	return result;
}

static struct device *parse_device(char *arg)
{
	enum { BASE, IRQ, PORT, FILE_NAME, QUEUES, READONLY, NO_INDIRECT, NO_EVENT_IDX,
	       NO_ACCESS_PLATFORM };
	static char *const options[] = {
		[BASE]			= "base",
		[IRQ]			= "irq",
		[PORT]			= "port",
		[FILE_NAME]		= "file",
		[QUEUES]		= "queues",
		[READONLY]		= "readonly",
		[NO_INDIRECT]		= "no-indirect",
		[NO_EVENT_IDX]		= "no-event-idx",
		[NO_ACCESS_PLATFORM]	= "no-access-platform",
		NULL
	};
	struct device *dev = calloc(1, sizeof(*dev));
	char *type = strsep(&arg, ","), *value;

	if (!dev)
		die("memory", strerror(ENOMEM));
	dev->type = find_type(type);
	dev->fd = -1;
	dev->nr_queues = 1;
	dev->features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
			1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX;
	while (arg && *arg) {
		switch (getsubopt(&arg, options, &value)) {
		case BASE:
			dev->base = number("base", value);
			break;
		case IRQ:
			dev->irq = number("irq", value);
			break;
		case PORT:
			dev->port = number("port", value);
			break;
		case FILE_NAME:
			dev->file = value;
			break;
		case QUEUES:
			dev->nr_queues = number("queues", value);
			break;
		case READONLY:
			dev->readonly = true;
			break;
		case NO_INDIRECT:
			dev->features &= ~(1ULL << VIRTIO_RING_F_INDIRECT_DESC);
			break;
		case NO_EVENT_IDX:
			dev->features &= ~(1ULL << VIRTIO_RING_F_EVENT_IDX);
			break;
		case NO_ACCESS_PLATFORM:
			dev->features &= ~(1ULL << VIRTIO_F_ACCESS_PLATFORM);
			break;
		default:
			die(value, "no such option of a device");
		}
	}
	if (!dev->base || !dev->irq == !dev->port)
		die(type, "needs base=, and irq= or port=");
	if (!dev->nr_queues || dev->nr_queues > QUEUES_MAX)
		die(type, "no such number of queues");
	return dev;
}

static void add_device(char *arg)
{
	struct device *dev = parse_device(arg);
	unsigned int i, same = 0;
	int ret;

	if (backend.nr_devices == DEVICES_MAX)
		die(dev->type->name, "too many devices");
	for (i = 0; i < backend.nr_devices; i++)
		same += backend.device[i]->type == dev->type;
	snprintf(dev->name, sizeof(dev->name), "%s%u", dev->type->name, same);
	dev->memory.guest = &backend.guest;
	dev->set_irq = set_irq;
	ret = dev->type->open(dev);
	if (ret)
		die(dev->name, strerror(-ret));
	for (i = 0; i < dev->nr_queues; i++) {
		dev->queue[i].dev = dev;
		dev->queue[i].size = QUEUE_SIZE_MAX;
	}
	backend.device[backend.nr_devices++] = dev;
}

static uint64_t access_window(void *data, uint64_t addr, uint32_t size, bool write,
			      uint64_t value)
{
	unsigned int i;

	(void)data;
	for (i = 0; i < backend.nr_devices; i++) {
		struct device *dev = backend.device[i];

		if (addr < dev->base || addr - dev->base >= MMIO_SIZE)
			continue;
		if (!write)
			return mmio_read(dev, addr - dev->base, size);
		mmio_write(dev, addr - dev->base, size, value);
	}
	return 0;
}

static void report(void)
{
	unsigned int i;

	backend.reports++;
	for (i = 0; i < backend.nr_devices; i++) {
		const struct device *dev = backend.device[i];
		const struct stats *stats = &dev->memory.stats;

		printf("stats %u %s requests=%" PRIu64 " read=%" PRIu64 " written=%" PRIu64
		       " maps=%" PRIu64 " pages=%" PRIu64 " mapped=%" PRIu64
		       " plain=%" PRIu64 " failures=%" PRIu64 "\n",
		       backend.reports, dev->name, stats->requests, stats->bytes_read,
		       stats->bytes_written, stats->maps, stats->pages, stats->mapped,
		       stats->plain, stats->failures);
	}
	printf("stats %u end\n", backend.reports);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Whether to go on. */
static bool handle_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return true;
	switch (info.ssi_signo) {
	case SIGUSR1:
		report();
		return true;
	case SIGUSR2:
		guest_drop_kept(&backend.guest);
		return true;
	default:
		return false;
	}
}

static void work(void)
{
	unsigned int i, j;

	for (i = 0; i < backend.nr_devices; i++) {
		struct device *dev = backend.device[i];

		for (j = 0; j < dev->nr_queues; j++) {
			if (!dev->queue[j].kicked)
				continue;
			dev->queue[j].kicked = false;
			if (dev->status & VIRTIO_CONFIG_S_DRIVER_OK &&
			    !attack_work(dev, &dev->queue[j]))
				dev->type->work(dev, &dev->queue[j]);
		}
	}
}

static void serve(int signals)
{
	struct pollfd fds[DEVICES_MAX + 3];
	unsigned int i;

	for (;;) {
		fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = ioreq_fd(backend.server), .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = backend.control, .events = POLLIN };
		for (i = 0; i < backend.nr_devices; i++) {
			struct device *dev = backend.device[i];

			fds[i + 3] = (struct pollfd){
				.fd = dev->input && !attack_hangs(dev) ? dev->fd : -1,
				.events = POLLIN,
			};
		}
		if (poll(fds, i + 3, -1) < 0 && errno != EINTR)
			die("poll", strerror(errno));
		if (fds[0].revents && !handle_signal(signals))
			return;
		if (fds[1].revents)
			ioreq_handle(backend.server);
		if (fds[2].revents)
			attack_read(backend.control, backend.device, backend.nr_devices);
		for (i = 0; i < backend.nr_devices; i++)
			if (fds[i + 3].revents)
				backend.device[i]->type->input(backend.device[i]);
		work();
	}
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "domid",		required_argument,	NULL, 'i' },
		{ "device",		required_argument,	NULL, 'd' },
		{ "allow-plain",	no_argument,		NULL, 'p' },
		{ "keep-grants",	no_argument,		NULL, 'k' },
		{ "never-unmap",	no_argument,		NULL, 'n' },
		{ "control",		required_argument,	NULL, 'c' },
		{ "help",		no_argument,		NULL, 'h' },
		{ }
	};
	bool domid = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'i':
			backend.guest.domid = number("domid", optarg);
			domid = true;
			break;
		case 'd':
			add_device(optarg);
			break;
		case 'p':
			backend.guest.allow_plain = true;
			break;
		case 'k':
			backend.guest.keep_grants = true;
			break;
		case 'n':
			backend.guest.never_unmap = true;
			break;
		case 'c':
			backend.control = attack_open(optarg);
			if (backend.control < 0)
				die(optarg, strerror(errno));
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!domid || !backend.nr_devices || optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

static void connect_device(struct device *dev)
{
	if (ioreq_add_window(backend.server, dev->base, MMIO_SIZE))
		die(dev->name, strerror(errno));
	if (!dev->port)
		return;
	dev->local_port = ioreq_bind_port(backend.server, dev->port);
	if (dev->local_port < 0)
		die(dev->name, strerror(-dev->local_port));
}

int main(int argc, char **argv)
{
	unsigned int i;
	int signals;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv);
	signals = open_signals();
	if (guest_open(&backend.guest))
		die("Xen", strerror(errno));
	backend.server = ioreq_open(backend.guest.domid, access_window, NULL);
	if (!backend.server)
		die("no ioreq server", strerror(errno));
	for (i = 0; i < backend.nr_devices; i++)
		connect_device(backend.device[i]);
	if (ioreq_enable(backend.server))
		die("cannot serve", strerror(errno));
	printf("ready as ioreq server %u\n", ioreq_id(backend.server));
	serve(signals);

	for (i = 0; i < backend.nr_devices; i++)
		device_reset(backend.device[i]);
	report();
	ioreq_close(backend.server);
	return 0;
}
