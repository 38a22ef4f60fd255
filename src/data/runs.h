/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of bits in a set of 64, taken and given back without a lock: from any
 * context, on any CPU, also where preemption is real time.
 */
#ifndef XGD_RUNS_H
#define XGD_RUNS_H

#include <linux/atomic.h>
#include <linux/bitops.h>

#define XGD_RUN_MAX	64

/* @count bits, 1 to XGD_RUN_MAX, from bit @first on. */
static inline u64 xgd_run_mask(unsigned int first, unsigned int count)
{
	return (U64_MAX >> ((XGD_RUN_MAX - count) % XGD_RUN_MAX)) << first;
}

/* Each bit that begins a run of @count set bits. */
static inline u64 xgd_run_starts(u64 set, unsigned int count)
{
	unsigned int len;

	for (len = 1; 2 * len <= count; len *= 2)
		set &= set >> len;

	return len < count ? set & (set >> (count - len)) : set;
}

/**
 * xgd_take_one - take one bit
 * @free:	the bits that are free
 *
 * Context: any.
 * Return: the bit, or -1 when none is free.
 */
static inline int xgd_take_one(atomic64_t *free)
{
	s64 old = atomic64_read(free);

	do {
		if (unlikely(!old))
			return -1;
	} while (!atomic64_try_cmpxchg(free, &old, old & (old - 1)));

	/* The lowest bit that was set. */
	return __ffs64(old);
}

/**
 * xgd_take_run - take consecutive bits
 * @free:	the bits that are free
 * @count:	how many to take, 1 to XGD_RUN_MAX
 *
 * What was done to a bit before it was given back is seen by who takes it.
 *
 * Context: any.
 * Return: the first bit, or -1 when there is no such run.
 */
static inline int xgd_take_run(atomic64_t *free, unsigned int count)
{
	s64 old = atomic64_read(free);
	unsigned int first;
	u64 starts;

	if (count == 1)
		return xgd_take_one(free);

	do {
		starts = xgd_run_starts(old, count);
		if (!starts)
			return -1;
		first = __ffs64(starts);
	} while (!atomic64_try_cmpxchg(free, &old, old & ~xgd_run_mask(first, count)));

	return first;
}

/**
 * xgd_give_run - give back consecutive bits
 * @free:	the bits that are free
 * @first:	the first bit
 * @count:	how many, 1 to XGD_RUN_MAX
 *
 * Context: any.
 */
static inline void xgd_give_run(atomic64_t *free, unsigned int first, unsigned int count)
{
	/* What was done to the bits before is done. */
	smp_mb__before_atomic();
	atomic64_or(xgd_run_mask(first, count), free);
}

#endif /* XGD_RUNS_H */
