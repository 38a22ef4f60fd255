/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites share. They run in a guest on real Xen and its grant table,
 * and ask a program in dom0 what a backend can see and do.
 */
#ifndef XGD_UNIT_H
#define XGD_UNIT_H

#include <kunit/test.h>
#include <xen/grant_table.h>

#include "data/device.h"

/* A grant that the backend has mapped: which one, for it. */
struct unit_map {
	u32	slot;
};

int unit_init(struct kunit *test);
void unit_exit(struct kunit *test);
struct xgd_device *unit_device(struct kunit *test, const struct xgd_mode *mode);
void unit_attach(struct xgd_device *xd);
s64 unit_refs(struct xgd_device *xd);
char *unit_pages(struct kunit *test, unsigned int order);

int unit_map(grant_ref_t ref, bool readonly, struct unit_map *map);
void unit_unmap(struct unit_map *map);
const char *unit_look(const struct unit_map *map);
void unit_fill(const struct unit_map *map, unsigned int offset, char byte, size_t size);
bool unit_can(grant_ref_t ref, bool readonly);
const char *unit_see(struct kunit *test, grant_ref_t ref);
bool unit_sees(struct kunit *test, grant_ref_t ref, unsigned int offset, const void *data,
	       size_t size);
bool unit_sees_only(struct kunit *test, grant_ref_t ref, unsigned int offset,
		    const void *data, size_t size);

/* From here on the n-th request for memory fails, of those that this task makes. */
static inline void unit_fail(unsigned int n)
{
	current->fail_nth = n;
}

/* Has it failed? Not if there were fewer. From here on none fails. */
static inline bool unit_failed(void)
{
	bool failed = !current->fail_nth;

	current->fail_nth = 0;

	return failed;
}

/* From here on all requests of this task fail, or none. The case has set this up. */
static inline void unit_no_memory(bool on)
{
	current->make_it_fail = on;
}

#endif /* XGD_UNIT_H */
