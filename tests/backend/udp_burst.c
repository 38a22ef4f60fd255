// SPDX-License-Identifier: GPL-2.0-only
/*
 * udp_burst receive ADDRESS PORT | udp_burst send ADDRESS PORT COUNT
 *
 * Small packets for benchmarks, of which none is lost and none is waited for in
 * vain: the sender waits after each 32 until the receiver has them all. The address
 * is that of the receiver.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define BURST	32

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* With the headers of UDP, IP and Ethernet 64 bytes. */
static char packet[22];

static void receive(int fd)
{
	struct sockaddr_in from;
	unsigned long count = 0;
	socklen_t len;

	for (;;) {
		len = sizeof(from);
		if (recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &len) < 0)
			die("receive");
		if (++count % BURST == 0 &&
		    sendto(fd, packet, 1, 0, (struct sockaddr *)&from, len) < 0)
			die("answer");
	}
}

static void send_all(int fd, const struct sockaddr_in *to, unsigned long bursts)
{
	struct timeval patience = { .tv_sec = 10 };
	int i;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("connect");
	while (bursts--) {
		for (i = 0; i < BURST; i++)
			if (send(fd, packet, sizeof(packet), 0) < 0)
				die("send");
		if (recv(fd, packet, sizeof(packet), 0) < 0)
			die("no answer");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 4 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1 || fd < 0) {
		fprintf(stderr, "usage: udp_burst receive|send ADDRESS PORT [COUNT]\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[3]));
	if (strcmp(argv[1], "receive") == 0) {
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
			die("bind");
		receive(fd);
	}
	send_all(fd, &address, argc > 4 ? strtoul(argv[4], NULL, 0) / BURST : 1);
	return 0;
}
