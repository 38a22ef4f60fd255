// SPDX-License-Identifier: GPL-2.0-only
/*
 * Serves dom0 on the guest's console. A command is lines that begin with '|', then
 * a line "run N SECONDS". The answer is the output, each line behind a '|', then
 * "done N STATUS": nothing that the kernel prints looks like that.
 *
 * A program, as guest-ask is: on an emulated processor each process that a shell
 * starts takes a tenth of a second.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT	"/run/output"
#define LOST	"echo 'rig: a part of the command is missing'; exit 126"

/* Run it; the status is as a shell has it. */
static int run(const char *command, int seconds)
{
	int status, pidfd, null, out;
	struct pollfd end;
	pid_t child;

	/*
	 * A file, not a pipe: what the command leaves running may hold it open. A new one
	 * each time, for the same reason.
	 */
	unlink(OUTPUT);
	child = vfork();
	if (child < 0)
		return 126;
	if (!child) {
		null = open("/dev/null", O_RDONLY);
		out = open(OUTPUT, O_WRONLY | O_CREAT | O_APPEND, 0644);
		dup2(null, 0);
		dup2(out, 1);
		dup2(out, 2);
		close(null);
		close(out);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}

	pidfd = syscall(SYS_pidfd_open, child, 0);
	end.fd = pidfd;
	end.events = POLLIN;
	if (poll(&end, 1, seconds * 1000) == 0)
		kill(child, SIGKILL);
	close(pidfd);
	waitpid(child, &status, 0);

	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void answer(unsigned long number, int status)
{
	FILE *file = fopen(OUTPUT, "r");
	size_t size = 0;
	char *line = NULL;
	ssize_t len;

	while (file && (len = getline(&line, &size, file)) > 0) {
		putchar('|');
		fwrite(line, 1, len, stdout);
	}
	free(line);
	if (file)
		fclose(file);
	printf("\ndone %lu %d\n", number, status);
	fflush(stdout);
}

int main(void)
{
	char *command = NULL, *line = NULL;
	size_t size = 0, used = 0;
	unsigned long number;
	int seconds, status;
	ssize_t len;

	puts("rig: guest ready");
	fflush(stdout);
	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[0] == '|') {
			command = realloc(command, used + len);
			if (!command)
				return 1;
			memcpy(command + used, line + 1, len);
			used += len - 1;
		} else if (sscanf(line, "run %lu %d", &number, &seconds) == 2) {
			status = run(used ? command : "", seconds);
			answer(number, status);
			used = 0;
		} else {
			command = realloc(command, sizeof(LOST));
			if (!command)
				return 1;
			memcpy(command, LOST, sizeof(LOST));
			used = sizeof(LOST) - 1;
		}
		if (!used) {
			free(command);
			command = NULL;
		}
	}

	return 0;
}
