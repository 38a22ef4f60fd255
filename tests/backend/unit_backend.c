// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit_backend DOMID REFERENCE REFERENCE: the backend of the KUnit suites in a guest
 * (tests/unit), which ask it to map their grants, and to read and write there,
 * through the mailbox of the two references.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xengnttab.h>
#include <xentoollog.h>

#include "../unit/unit_mailbox.h"

#define PAGE	4096
#define SLOTS	1024

static xengnttab_handle *xgt;
static uint32_t domid;
static char *data;
static char *slots[SLOTS];

static int map(struct unit_mailbox *box)
{
	int prot = PROT_READ | (box->readonly ? 0 : PROT_WRITE);
	uint32_t i;

	for (i = 0; i < SLOTS && slots[i]; i++)
		;
	if (i == SLOTS)
		return -1;
	slots[i] = xengnttab_map_grant_ref(xgt, domid, box->ref, prot);
	box->slot = i;

	return !slots[i];
}

static int with_slot(struct unit_mailbox *box)
{
	char *page = box->slot < SLOTS ? slots[box->slot] : NULL;

	if (!page || box->offset + box->size > PAGE)
		return -1;

	switch (box->command) {
	case UNIT_UNMAP:
		xengnttab_unmap(xgt, page, 1);
		slots[box->slot] = NULL;
		return 0;
	case UNIT_READ:
		memcpy(data, page, PAGE);
		return 0;
	case UNIT_WRITE:
		memcpy(page + box->offset, data + box->offset, box->size);
		return 0;
	}

	return -1;
}

int main(int argc, char **argv)
{
	struct unit_mailbox *box;
	xentoollog_logger *log;
	uint32_t refs[2], command;

	if (argc != 4) {
		fprintf(stderr, "usage: unit_backend DOMID REFERENCE REFERENCE\n");
		return 2;
	}
	domid = atoi(argv[1]);
	refs[0] = atoi(argv[2]);
	refs[1] = atoi(argv[3]);

	/* What does not map is what the tests want to know, and not worth a message. */
	log = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	xgt = xengnttab_open(log, 0);
	box = xgt ? xengnttab_map_domain_grant_refs(xgt, 2, domid, refs,
						    PROT_READ | PROT_WRITE) : NULL;
	if (!box) {
		perror("unit_backend: the mailbox");
		return 1;
	}
	data = (char *)box + PAGE;

	do {
		while (!(command = __atomic_load_n(&box->command, __ATOMIC_ACQUIRE)))
			usleep(100);
		switch (command) {
		case UNIT_HELLO:
		case UNIT_BYE:
			box->result = 0;
			break;
		case UNIT_MAP:
			box->result = map(box);
			break;
		default:
			box->result = with_slot(box);
			break;
		}
		__atomic_store_n(&box->command, UNIT_NONE, __ATOMIC_RELEASE);
	} while (command != UNIT_BYE);

	return 0;
}
