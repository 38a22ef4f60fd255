// SPDX-License-Identifier: GPL-2.0-only
/*
 * pattern write|read|check FILE [LARGEST]: a pattern that knows its place, in
 * requests of all sizes, up to LARGEST if that is given, and from buffers at all
 * offsets that direct I/O allows.
 *
 * write	past the cache, one request for each size and offset; prints how
 *		many requests that were
 * read		the same, in other pieces, and nothing beside them
 * check	without any of that, from the other side of the disk
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096
#define SECTOR	512
#define MARGIN	64
#define POISON	0xa5

static const unsigned int sizes[] = {
	512, 1024, 1536, 2048, 2560, 3584, 4096, 4608, 7680, 8192, 12800, 16384, 32768, 33280,
	65536, 66048, 131072, 131584, 262144, 524288, 524800, 1048064, 1048576,
};

static const unsigned int offsets[] = { 0, SECTOR, 3 * SECTOR, PAGE - SECTOR };

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))
#define LARGEST		1048576

static unsigned char *pages;
static unsigned int count;	/* of the sizes in use */

static void die(const char *what, uint64_t at)
{
	fprintf(stderr, "pattern: %s at %llu: %s\n", what, (unsigned long long)at,
		strerror(errno));
	exit(1);
}

static uint64_t word(uint64_t at)
{
	return (at + 1) * 0x9e3779b97f4a7c15;
}

static void fill(unsigned char *buf, size_t size, uint64_t at)
{
	uint64_t *words = (uint64_t *)buf;
	size_t i;

	for (i = 0; i < size / 8; i++)
		words[i] = word(at + i * 8);
}

static void compare(const unsigned char *buf, size_t size, uint64_t at)
{
	const uint64_t *words = (const uint64_t *)buf;
	size_t i;

	errno = 0;
	for (i = 0; i < size / 8; i++)
		if (words[i] != word(at + i * 8))
			die("wrong data", at + i * 8);
}

static void poisoned(const unsigned char *buf, size_t size, uint64_t at)
{
	size_t i;

	errno = 0;
	for (i = 0; i < size; i++)
		if (buf[i] != POISON)
			die("written beside the buffer", at);
}

static uint64_t request(int fd, int reading, unsigned int size, unsigned int offset,
			uint64_t at)
{
	unsigned char *buf = pages + PAGE + offset;

	if (reading) {
		memset(buf - MARGIN, POISON, size + 2 * MARGIN);
		if (pread(fd, buf, size, at) != (ssize_t)size)
			die("cannot read", at);
		compare(buf, size, at);
		poisoned(buf - MARGIN, MARGIN, at);
		poisoned(buf + size, MARGIN, at);
	} else {
		fill(buf, size, at);
		if (pwrite(fd, buf, size, at) != (ssize_t)size)
			die("cannot write", at);
	}

	return at + size;
}

/* The same bytes in both directions, but reads begin with the largest. */
static void all_requests(int fd, int reading)
{
	unsigned int i, k;
	uint64_t at = 0;

	for (i = 0; i < count; i++)
		for (k = 0; k < COUNT(offsets); k++)
			at = request(fd, reading, sizes[reading ? count - 1 - i : i],
				     offsets[k], at);
}

static void check(int fd)
{
	uint64_t at = 0, end = 0;
	unsigned int i;
	ssize_t size;

	for (i = 0; i < count; i++)
		end += sizes[i] * COUNT(offsets);
	while (at < end) {
		size = pread(fd, pages, end - at < LARGEST ? end - at : LARGEST, at);
		if (size <= 0)
			die("cannot read", at);
		compare(pages, size, at);
		at += size;
	}
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 || argc == 4 ? argv[1] : "";
	int checking = !strcmp(what, "check"), reading = !strcmp(what, "read");
	unsigned int largest = LARGEST;
	int fd;

	if (!checking && !reading && strcmp(what, "write")) {
		fprintf(stderr, "usage: pattern write|read|check FILE [LARGEST]\n");
		return 2;
	}
	if (argc == 4)
		largest = strtoul(argv[3], NULL, 0);
	while (count < COUNT(sizes) && sizes[count] <= largest)
		count++;
	/* Room for any offset, and for the margins. */
	pages = mmap(NULL, LARGEST + 3 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		die("no memory", 0);
	fd = open(argv[2], checking ? O_RDONLY : O_RDWR | O_DIRECT);
	if (fd < 0)
		die("cannot open", 0);

	if (checking)
		check(fd);
	else
		all_requests(fd, reading);
	if (fsync(fd))
		die("cannot sync", 0);
	if (!reading && !checking)
		printf("%zu\n", count * COUNT(offsets));

	return 0;
}
