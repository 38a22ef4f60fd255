/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the KUnit suites talk to their backend, a program in dom0: two Xen pages that
 * both have mapped, this structure and then a page of data. The guest fills in the
 * arguments, then the command; the backend does it, fills in the result, and sets the
 * command to UNIT_NONE.
 */
#ifndef UNIT_MAILBOX_H
#define UNIT_MAILBOX_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint32_t u32;
typedef int32_t s32;
#endif

enum {
	UNIT_NONE,
	UNIT_HELLO,	/* answer */
	UNIT_MAP,	/* map ref, readonly or not: slot says where */
	UNIT_UNMAP,	/* let go of slot */
	UNIT_READ,	/* copy all of slot to data */
	UNIT_WRITE,	/* copy size bytes at offset of data to the same place in slot */
	UNIT_BYE,	/* end */
};

struct unit_mailbox {
	u32	command;
	s32	result;
	u32	ref;
	u32	readonly;
	u32	slot;
	u32	offset;
	u32	size;
};

#endif /* UNIT_MAILBOX_H */
