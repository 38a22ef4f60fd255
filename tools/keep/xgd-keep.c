// SPDX-License-Identifier: GPL-2.0-only
/*
 * libxgd-keep: a QEMU, as it is, that keeps the grants it has mapped.
 *
 * QEMU maps what a request names and unmaps it when the request is done. A guest whose
 * module has copy=always, or :copy for the device, names the same few pages again and
 * again, and their references keep their meaning as long as the driver is bound. So this
 * library, put in front of libxengnttab by LD_PRELOAD, keeps what QEMU unmaps, and gives
 * it back when QEMU maps it again.
 *
 * A page that is kept cannot turn into another's behind the library's back: the guest
 * gives away neither a page nor the number of its reference while they are mapped. But it
 * has to wait: it cannot say here that its driver is gone. So what nobody has mapped again
 * for some seconds is let go.
 *
 *   XGD_KEEP_PAGES	how many pages that are not in use are kept at most: 4096
 *   XGD_KEEP_SECONDS	for how long: 3
 *   XGD_KEEP_STATS	a file that tells each second what goes on, a word and a number a line
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include <xengnttab.h>

#define BUCKETS		4096
#define DEFAULT_PAGES	4096
#define DEFAULT_SECONDS	3

/* What a mapping is: another one that is the same can take its place. */
struct key {
	xengnttab_handle	*handle;
	uint32_t		domid;
	uint32_t		first;	/* of consecutive references */
	uint32_t		count;
	int			prot;
};

struct mapping {
	struct key		key;
	void			*address;
	time_t			since;	/* when it was let go */
	LIST_ENTRY(mapping)	by_address;	/* of all */
	LIST_ENTRY(mapping)	by_key;		/* of those that are not in use */
	TAILQ_ENTRY(mapping)	idle;		/* the same, the oldest first */
};

LIST_HEAD(list, mapping);
TAILQ_HEAD(queue, mapping);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* protects all that follows */
static struct list by_address[BUCKETS], by_key[BUCKETS];
static struct queue idle = TAILQ_HEAD_INITIALIZER(idle);
static unsigned long max_pages = DEFAULT_PAGES, max_seconds = DEFAULT_SECONDS;
static const char *stats_file;
static struct {
	unsigned long mapped, reused, unmapped, in_use, kept, too_many, too_old;
} stats;
static int running;

static void *(*real_map)(xengnttab_handle *xgt, uint32_t count, uint32_t domid, uint32_t *refs,
			 int prot);
static int (*real_unmap)(xengnttab_handle *xgt, void *address, uint32_t count);
static int (*real_close)(xengnttab_handle *xgt);

static unsigned long number_of(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	unsigned long value;
	char *end;

	if (!text || !*text)
		return otherwise;
	value = strtoul(text, &end, 10);
	if (*end) {
		fprintf(stderr, "libxgd-keep: %s=%s is no number; it is %lu\n", name, text, otherwise);
		return otherwise;
	}

	return value;
}

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function) {
		fprintf(stderr, "libxgd-keep: there is no %s\n", name);
		exit(1);
	}

	return function;
}

__attribute__((constructor)) static void begin(void)
{
	real_map = next("xengnttab_map_domain_grant_refs");
	real_unmap = next("xengnttab_unmap");
	real_close = next("xengnttab_close");
	max_pages = number_of("XGD_KEEP_PAGES", DEFAULT_PAGES);
	max_seconds = number_of("XGD_KEEP_SECONDS", DEFAULT_SECONDS);
	stats_file = getenv("XGD_KEEP_STATS");
	/* It is for this program, not for those that it starts. */
	unsetenv("LD_PRELOAD");
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);

	return time.tv_sec;
}

static struct list *bucket_of_address(const void *address)
{
	return &by_address[((uintptr_t)address >> 12) % BUCKETS];
}

static struct list *bucket_of_key(const struct key *key)
{
	return &by_key[(key->first * 31 + key->count + key->prot * 7) % BUCKETS];
}

static int same(const struct key *a, const struct key *b)
{
	return a->handle == b->handle && a->domid == b->domid && a->first == b->first &&
	       a->count == b->count && a->prot == b->prot;
}

/* It is not kept any more. */
static void take(struct mapping *mapping)
{
	LIST_REMOVE(mapping, by_key);
	TAILQ_REMOVE(&idle, mapping, idle);
	stats.kept -= mapping->key.count;
}

/* Take it, to unmap it without the lock. */
static void take_away(struct mapping *mapping, struct queue *away)
{
	take(mapping);
	LIST_REMOVE(mapping, by_address);
	TAILQ_INSERT_TAIL(away, mapping, idle);
	stats.unmapped += mapping->key.count;
}

static void unmap_all(struct queue *away)
{
	struct mapping *mapping;

	while ((mapping = TAILQ_FIRST(away))) {
		TAILQ_REMOVE(away, mapping, idle);
		if (real_unmap(mapping->key.handle, mapping->address, mapping->key.count))
			perror("libxgd-keep: cannot unmap");
		free(mapping);
	}
}

static void tell(void)
{
	char new[4096];
	FILE *file;

	snprintf(new, sizeof(new), "%s.new", stats_file);
	file = fopen(new, "w");
	if (!file)
		return;
	pthread_mutex_lock(&lock);
	fprintf(file, "mapped %lu\nreused %lu\nunmapped %lu\nin_use %lu\nkept %lu\ntoo_many %lu\ntoo_old %lu\n",
		stats.mapped, stats.reused, stats.unmapped, stats.in_use, stats.kept, stats.too_many,
		stats.too_old);
	pthread_mutex_unlock(&lock);
	if (!fclose(file))
		rename(new, stats_file);
}

/* Lets go of what nobody has mapped again. */
static void *run(void *unused)
{
	struct queue away = TAILQ_HEAD_INITIALIZER(away);
	struct mapping *mapping;

	(void)unused;
	while (1) {
		sleep(1);
		pthread_mutex_lock(&lock);
		while ((mapping = TAILQ_FIRST(&idle)) &&
		       now() - mapping->since >= (time_t)max_seconds) {
			stats.too_old += mapping->key.count;
			take_away(mapping, &away);
		}
		pthread_mutex_unlock(&lock);
		unmap_all(&away);
		if (stats_file)
			tell();
	}

	return NULL;
}

/* Not from the constructor: the program may become a daemon after that. */
static int start(void)
{
	pthread_t thread;

	if (!running && !pthread_create(&thread, NULL, run, NULL)) {
		pthread_detach(thread);
		running = 1;
	}

	return running;
}

static int consecutive(const uint32_t *refs, uint32_t count)
{
	uint32_t i;

	for (i = 1; i < count; i++)
		if (refs[i] != refs[0] + i)
			return 0;

	return count > 0;
}

static struct mapping *find_key(const struct key *key)
{
	struct mapping *mapping;

	LIST_FOREACH(mapping, bucket_of_key(key), by_key)
		if (same(&mapping->key, key))
			return mapping;

	return NULL;
}

static struct mapping *find_address(const void *address)
{
	struct mapping *mapping;

	LIST_FOREACH(mapping, bucket_of_address(address), by_address)
		if (mapping->address == address)
			return mapping;

	return NULL;
}

/* Everything that is kept of a handle, or of all if more is mapped than can be. */
static int let_go(xengnttab_handle *handle)
{
	struct queue away = TAILQ_HEAD_INITIALIZER(away);
	struct mapping *mapping, *after;

	pthread_mutex_lock(&lock);
	for (mapping = TAILQ_FIRST(&idle); mapping; mapping = after) {
		after = TAILQ_NEXT(mapping, idle);
		if (!handle || mapping->key.handle == handle)
			take_away(mapping, &away);
	}
	pthread_mutex_unlock(&lock);
	if (TAILQ_EMPTY(&away))
		return 0;
	unmap_all(&away);

	return 1;
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count, uint32_t domid,
				      uint32_t *refs, int prot)
{
	struct key key = { xgt, domid, count ? refs[0] : 0, count, prot };
	struct mapping *mapping;
	void *address;

	if (!consecutive(refs, count))
		return real_map(xgt, count, domid, refs, prot);

	pthread_mutex_lock(&lock);
	mapping = find_key(&key);
	if (mapping) {
		take(mapping);
		stats.reused += count;
		stats.in_use += count;
		pthread_mutex_unlock(&lock);
		return mapping->address;
	}
	pthread_mutex_unlock(&lock);

	mapping = malloc(sizeof(*mapping));
	address = real_map(xgt, count, domid, refs, prot);
	/* What is kept may be what dom0 has no room for. */
	if (!address && let_go(NULL))
		address = real_map(xgt, count, domid, refs, prot);
	if (!address || !mapping) {
		free(mapping);
		return address;
	}
	mapping->key = key;
	mapping->address = address;

	pthread_mutex_lock(&lock);
	LIST_INSERT_HEAD(bucket_of_address(address), mapping, by_address);
	stats.mapped += count;
	stats.in_use += count;
	pthread_mutex_unlock(&lock);

	return address;
}

int xengnttab_unmap(xengnttab_handle *xgt, void *address, uint32_t count)
{
	struct queue away = TAILQ_HEAD_INITIALIZER(away);
	struct mapping *mapping;

	pthread_mutex_lock(&lock);
	mapping = find_address(address);
	if (!mapping || mapping->key.handle != xgt || mapping->key.count != count) {
		pthread_mutex_unlock(&lock);
		return real_unmap(xgt, address, count);
	}
	stats.in_use -= count;
	stats.kept += count;
	mapping->since = now();
	LIST_INSERT_HEAD(bucket_of_key(&mapping->key), mapping, by_key);
	TAILQ_INSERT_TAIL(&idle, mapping, idle);
	if (!start())
		take_away(mapping, &away);
	while (stats.kept > max_pages) {
		mapping = TAILQ_FIRST(&idle);
		stats.too_many += mapping->key.count;
		take_away(mapping, &away);
	}
	pthread_mutex_unlock(&lock);
	unmap_all(&away);

	return 0;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	struct mapping *mapping, *after;
	unsigned int i;

	if (!xgt)
		return real_close(xgt);
	let_go(xgt);
	/* What is still in use goes with the handle. */
	pthread_mutex_lock(&lock);
	for (i = 0; i < BUCKETS; i++) {
		for (mapping = LIST_FIRST(&by_address[i]); mapping; mapping = after) {
			after = LIST_NEXT(mapping, by_address);
			if (mapping->key.handle != xgt)
				continue;
			LIST_REMOVE(mapping, by_address);
			stats.in_use -= mapping->key.count;
			free(mapping);
		}
	}
	pthread_mutex_unlock(&lock);

	return real_close(xgt);
}
