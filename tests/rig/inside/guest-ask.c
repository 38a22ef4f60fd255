// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest-ask FOLDER SECONDS [COMMAND]: have the guest's agent run the command, and pass
 * on its output and its status. Without a command: wait until the agent is there.
 *
 * FOLDER is what is known of the guest (guest.sh), one value a file: tty, seq, id. A
 * guest that does not answer (status 124) or died (125) gets the file "dead", which says
 * what became of it. From then on that is the answer: no output must not look like one.
 *
 * One at a time: the agent does one command after the other, and two that hear the same
 * console would each have a part of the answers.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define READY	"rig: guest ready"
#define MORE	(64 << 10)

#define NO_ANSWER	124
#define DIED		125

/* The guest ends the command itself when it can; this is for when it cannot. */
#define GRACE		5

static const char *folder;

static char *path(const char *key)
{
	static char name[256];

	snprintf(name, sizeof(name), "%s/%s", folder, key);
	return name;
}

static bool get(const char *key, char *value, size_t size)
{
	FILE *file = fopen(path(key), "r");
	bool there = file && fgets(value, size, file);

	if (file)
		fclose(file);
	if (there)
		value[strcspn(value, "\n")] = 0;

	return there && *value;
}

static void set(const char *key, const char *format, ...)
{
	FILE *file = fopen(path(key), "w");
	va_list args;

	if (!file)
		return;
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	fclose(file);
}

static int dead(const char *how)
{
	printf("guest: it %s\n", how);
	return DIED;
}

static int died(const char *how)
{
	set("dead", "%s", how);
	return dead(how);
}

/* All at once: xenconsoled passes on what it has. */
static bool put(int tty, const char *command, unsigned long seq, long seconds)
{
	size_t size = 0, done = 0;
	const char *line = command;
	char *all = NULL;
	FILE *out = open_memstream(&all, &size);
	ssize_t written = 1;
	int len;

	if (!out)
		return false;
	do {
		len = strcspn(line, "\n");
		fprintf(out, "|%.*s\n", len, line);
		line += len;
	} while (*line++);
	fprintf(out, "run %lu %ld\n", seq, seconds);
	fclose(out);
	while (done < size && (written = write(tty, all + done, size - done)) > 0)
		done += written;
	free(all);

	return written > 0;
}

/* How the guest went, if a line says so. */
static const char *last_words(const char *line)
{
	const char *reboot = strstr(line, "reboot: ");

	if (strstr(line, "Kernel panic"))
		return "panicked";
	if (reboot && (!strncmp(reboot + 8, "System", 6) || !strncmp(reboot + 8, "Power", 5) ||
		       !strncmp(reboot + 8, "Restarting", 10)))
		return "went down";

	return NULL;
}

static bool domain_is_there(void)
{
	char id[16] = "", command[64];

	get("id", id, sizeof(id));
	snprintf(command, sizeof(command), "xenstore-exists /local/domain/%.15s", id);

	return system(command) == 0;
}

/* Copy the answer up to the line that begins with last; its last word is the status. */
static int hear(int tty, const char *last, long seconds)
{
	struct pollfd more = { .fd = tty, .events = POLLIN };
	char *text = malloc(MORE + 1), *line, *end, *status;
	size_t room = MORE, used = 0;
	struct timespec now, until;
	const char *how;
	ssize_t got;
	long left;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (text) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (until.tv_sec - now.tv_sec) * 1000 + (until.tv_nsec - now.tv_nsec) / 1000000;
		if (left <= 0 || poll(&more, 1, left) <= 0)
			break;
		got = read(tty, text + used, room - used);
		if (got <= 0)
			break;
		used += got;
		text[used] = 0;
		for (line = text; (end = memchr(line, '\n', text + used - line)); line = end + 1) {
			*end = 0;
			if (*line == '|') {
				puts(line + 1);
				continue;
			}
			if (!strncmp(line, last, strlen(last))) {
				status = strrchr(line, ' ');
				return strcmp(last, READY) ? atoi(status + 1) : 0;
			}
			how = last_words(line);
			if (how) {
				fflush(stdout);
				/* What follows a panic is worth having in the log. */
				sleep(1);
				return died(how);
			}
		}
		fflush(stdout);
		used -= line - text;
		memmove(text, line, used);
		if (used == room) {
			room += MORE;
			text = realloc(text, room + 1);
		}
	}
	if (!domain_is_there())
		return died("is gone");
	died("does not answer");

	return NO_ANSWER;
}

int main(int argc, char *argv[])
{
	char value[128], last[32] = READY;
	unsigned long seq;
	long seconds;
	int tty;

	if (argc < 3) {
		fputs("usage: guest-ask FOLDER SECONDS [COMMAND]\n", stderr);
		return 2;
	}
	folder = argv[1];
	seconds = atol(argv[2]);
	if (flock(open(folder, O_RDONLY | O_CLOEXEC), LOCK_EX))
		return dead("was not started");
	if (get("dead", value, sizeof(value)))
		return dead(value);
	if (!get("tty", value, sizeof(value)))
		return dead("was not started");
	tty = open(value, O_RDWR | O_NOCTTY);
	if (tty < 0)
		return died("has no console");
	if (argc > 3) {
		seq = get("seq", value, sizeof(value)) ? strtoul(value, NULL, 10) + 1 : 1;
		set("seq", "%lu", seq);
		snprintf(last, sizeof(last), "done %lu ", seq);
		if (!put(tty, argv[3], seq, seconds))
			return died("does not listen");
		seconds += GRACE;
	}

	return hear(tty, last, seconds);
}
