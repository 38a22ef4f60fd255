// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of all kinds, each amid data that the backend must neither read nor
 * write, for xgd_fake. dom0 attacks while they are mapped; then this module tells,
 * in TAP through the kernel log, what became of them.
 *
 * Around each buffer is "-xgd-canary-"; in it, "-xgd-handed-NN-" again and again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "pieces.h"

static bool only_pages;
module_param(only_pages, bool, 0444);
MODULE_PARM_DESC(only_pages, "with mode=pieces: no buffers amid memory of others (default: N)");

/* What dom0 writes wherever it can. */
#define ATTACK	0xee

static const char canary[] = "-xgd-canary-";

/* Pages with this are not the kernel's own, as those of programs and of the page cache. */
struct address_space pieces_mapping;

/* PAGES have it, KERNEL not. */
enum memory {
	SLAB,
	PAGES,
	KERNEL,
	TAIL,
	VMALLOC
};

static const char *const memory_names[] = {
	"slab", "pages", "kernel pages", "tail pages", "vmalloc"
};

static const enum dma_data_direction dirs[] = {
	DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL
};

/* The room has the buffer at an offset. */
static const struct kind {
	enum memory	memory;
	size_t		room;
	size_t		offset;
	size_t		size;
} kinds[] = {
	{ SLAB,		64,		24,	1 },
	{ SLAB,		64,		24,	16 },
	{ SLAB,		192,		72,	48 },
	{ SLAB,		1024,		256,	512 },
	{ SLAB,		2048,		100,	1526 },
	{ SLAB,		4096,		0,	4096 },
	{ SLAB,		8192,		1000,	6000 },
	{ SLAB,		65536,		48,	33000 },
	{ PAGES,	4096,		4095,	1 },
	{ PAGES,	4096,		100,	16 },
	{ PAGES,	4096,		64,	4000 },
	{ PAGES,	4096,		0,	4096 },
	{ PAGES,	8192,		512,	4096 },
	{ PAGES,	8192,		4090,	12 },
	{ PAGES,	8192,		100,	6000 },
	{ PAGES,	65536,		0,	65536 },
	{ PAGES,	131072,		1,	65536 },
	{ PAGES,	131072,		4095,	65538 },
	{ KERNEL,	4096,		0,	4096 },
	{ KERNEL,	65536,		0,	65536 },
	{ TAIL,		4 * PAGE_SIZE,	PAGE_SIZE,	PAGE_SIZE },
	{ TAIL,		4 * PAGE_SIZE,	PAGE_SIZE + 40,	PAGE_SIZE },
	{ VMALLOC,	4096,		0,	4096 },
	{ VMALLOC,	4096,		700,	700 },
};

static struct piece {
	const struct kind	*kind;
	enum dma_data_direction	dir;
	char			*room;
	struct page		*page;
	char			handed[24];
	dma_addr_t		addr;
	bool			mapped;
} pieces[ARRAY_SIZE(kinds) * ARRAY_SIZE(dirs)];

static unsigned int tests;

static void ok(bool good, const char *name)
{
	pr_info("%s %u - %s\n", good ? "ok" : "not ok", ++tests, name);
}

static void fill(char *to, size_t size, const char *text)
{
	size_t i, len = strlen(text);

	for (i = 0; i < size; i++)
		to[i] = text[i % len];
}

/* The first byte that is not as filled, or size. */
static size_t filled(const char *at, size_t from, size_t to, const char *text)
{
	size_t len = strlen(text);

	while (from < to && at[from] == text[from % len])
		from++;

	return from;
}

/* The same for bytes that the attack did not write. */
static size_t attacked(const char *at, size_t from, size_t to)
{
	while (from < to && (u8)at[from] == ATTACK)
		from++;

	return from;
}

static struct page *pages_alloc(const struct kind *kind)
{
	gfp_t gfp = GFP_KERNEL | (kind->memory == TAIL ? 0 : __GFP_COMP);
	struct page *page = alloc_pages(gfp, get_order(kind->room));

	if (page && kind->memory == PAGES)
		page->mapping = &pieces_mapping;

	return page;
}

static int piece_alloc(struct piece *piece)
{
	const struct kind *kind = piece->kind;

	switch (kind->memory) {
	case SLAB:
		piece->room = kmalloc(kind->room, GFP_KERNEL);
		break;
	case PAGES:
	case KERNEL:
	case TAIL:
		piece->page = pages_alloc(kind);
		piece->room = piece->page ? page_address(piece->page) : NULL;
		break;
	case VMALLOC:
		piece->room = vmalloc(kind->room);
		break;
	}

	return piece->room ? 0 : -ENOMEM;
}

static void piece_free(struct piece *piece)
{
	switch (piece->kind->memory) {
	case SLAB:
		kfree(piece->room);
		break;
	case PAGES:
	case KERNEL:
	case TAIL:
		if (!piece->page)
			break;
		piece->page->mapping = NULL;
		__free_pages(piece->page, get_order(piece->kind->room));
		break;
	case VMALLOC:
		vfree(piece->room);
		break;
	}
	memset(piece, 0, sizeof(*piece));
}

static char *buffer(const struct piece *piece)
{
	return piece->room + piece->kind->offset;
}

static dma_addr_t piece_map(struct device *dev, struct piece *piece)
{
	const struct kind *kind = piece->kind;

	if (kind->memory == VMALLOC)
		return dma_map_page(dev, vmalloc_to_page(piece->room), kind->offset, kind->size,
				    piece->dir);

	return dma_map_single(dev, buffer(piece), kind->size, piece->dir);
}

/* Which bytes of the buffer the device wrote, as its driver sees it. */
static bool is_right(const struct piece *piece, size_t from, size_t to)
{
	const char *at = buffer(piece);
	size_t size = piece->kind->size;
	bool bad;

	if (piece->dir == DMA_TO_DEVICE)
		bad = filled(at, 0, size, piece->handed) < size;
	else if (to)
		bad = attacked(at, from, to) < to;
	else
		bad = filled(at, 0, size, piece->handed) < size;
	if (bad)
		pr_info("# %s, %zu bytes at %zu, direction %d: bytes %zu to %zu begin %*ph\n",
			memory_names[piece->kind->memory], size, piece->kind->offset, piece->dir,
			from, to, (int)min_t(size_t, size - from, 16), at + from);

	return !bad;
}

static bool neighbours(const struct piece *piece)
{
	const struct kind *kind = piece->kind;
	size_t end = kind->offset + kind->size;

	if (filled(piece->room, 0, kind->offset, canary) == kind->offset &&
	    filled(piece->room, end, kind->room, canary) == kind->room)
		return true;

	pr_info("# %s, %zu bytes at %zu, direction %d: what is beside it has changed\n",
		memory_names[kind->memory], kind->size, kind->offset, piece->dir);
	return false;
}

/**
 * pieces_map - make and map all buffers
 * @dev:	the DMA device
 *
 * Return: 0 or a negative error, and then nothing is left.
 */
int pieces_map(struct device *dev)
{
	struct piece *piece;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		piece = &pieces[i];
		piece->kind = &kinds[i / ARRAY_SIZE(dirs)];
		piece->dir = dirs[i % ARRAY_SIZE(dirs)];
		if (only_pages && piece->kind->memory == SLAB)
			continue;
		if (piece_alloc(piece))
			goto err_unmap;
		snprintf(piece->handed, sizeof(piece->handed), "-xgd-handed-%02u-", i);
		fill(piece->room, piece->kind->room, canary);
		fill(buffer(piece), piece->kind->size, piece->handed);
		piece->addr = piece_map(dev, piece);
		piece->mapped = !dma_mapping_error(dev, piece->addr);
		if (!piece->mapped)
			goto err_unmap;
	}
	tests = 0;
	pr_info("%zu buffers are mapped\n", ARRAY_SIZE(pieces));

	return 0;

err_unmap:
	pieces_unmap(dev);
	pieces_free();
	return -ENOMEM;
}

/**
 * pieces_sync - look at the middle of each buffer while it is mapped
 * @dev:	the DMA device
 *
 * What the attack wrote there must be seen, and where a buffer is copied nothing else.
 */
void pieces_sync(struct device *dev)
{
	bool middle = true, rest = true;
	struct piece *piece;
	size_t from, to;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		piece = &pieces[i];
		if (!piece->mapped || piece->dir == DMA_TO_DEVICE || piece->kind->size < 16)
			continue;
		from = piece->kind->size / 3;
		to = from * 2;
		dma_sync_single_for_cpu(dev, piece->addr + from, to - from, piece->dir);
		middle &= is_right(piece, from, to);
		if (piece->kind->size < XEN_PAGE_SIZE)
			rest &= filled(buffer(piece), 0, from, piece->handed) == from &&
				filled(buffer(piece), to, piece->kind->size, piece->handed) ==
				piece->kind->size;
		dma_sync_single_for_device(dev, piece->addr + from, to - from, piece->dir);
	}
	ok(middle, "a sync of the middle shows what the device wrote there");
	ok(rest, "and of a small buffer nothing else");
}

/**
 * pieces_unmap - unmap all buffers
 * @dev:	the DMA device
 */
void pieces_unmap(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		if (pieces[i].mapped)
			dma_unmap_page(dev, pieces[i].addr, pieces[i].kind->size, pieces[i].dir);
		pieces[i].mapped = false;
	}
}

/* Are all buffers as they ought to be, the device having written all or nothing? */
static void pieces_check(bool written)
{
	bool data = true, beside = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		if (!pieces[i].room)
			continue;
		data &= is_right(&pieces[i], 0, written ? pieces[i].kind->size : 0);
		beside &= neighbours(&pieces[i]);
	}
	ok(data, written ? "what the device wrote is there, but in what it was only to read" :
			   "what the device did not write is as it was");
	ok(beside, "what lies beside the buffers is as it was");
}

static bool is_attacked(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		if (pieces[i].room && pieces[i].dir != DMA_TO_DEVICE &&
		    (u8)*buffer(&pieces[i]) == ATTACK)
			return true;

	return false;
}

/**
 * pieces_free - tell what became of the buffers, and free them
 */
void pieces_free(void)
{
	unsigned int i;

	if (pieces[ARRAY_SIZE(pieces) - 1].room) {
		pieces_check(is_attacked());
		pr_info("1..%u\n", tests);
	}
	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		if (pieces[i].room)
			piece_free(&pieces[i]);
}

/**
 * pieces_again - tell what became of the buffers, and map new ones
 * @dev:	the DMA device
 *
 * Return: 0 or a negative error, and then nothing is left.
 */
int pieces_again(struct device *dev)
{
	pieces_unmap(dev);
	pieces_free();

	return pieces_map(dev);
}
