// SPDX-License-Identifier: GPL-2.0
/*
 * Many short-lived processes that pass small messages, after the manner of hackbench. In each round
 * a group's leader forks as many senders as receivers; each sender writes so many messages to each
 * receiver; then all exit, and the leader starts the next round. Groups do not wait for each other.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MAX_GROUPS 64
#define MAX_PAIRS 32
#define MAX_SIZE 4096

static struct {
	unsigned int groups;
	unsigned int pairs;
	unsigned int rounds;
	unsigned int messages;
	unsigned int size;
	bool sockets;
} opt = { .groups = 2, .pairs = 2, .rounds = 10, .messages = 50, .size = 100 };

/* A way to each receiver: [0] is read by it, [1] written by all senders. */
struct group {
	int ways[MAX_PAIRS][2];
};

static int open_way(int way[2])
{
	if (!opt.sockets)
		return pipe(way) ? -errno : 0;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, way) ? -errno : 0;
}

static void close_side(const struct group *g, int side)
{
	for (unsigned int i = 0; i < opt.pairs; i++)
		close(g->ways[i][side]);
}

static int send_all(const struct group *g)
{
	char message[MAX_SIZE] = { 0 };

	close_side(g, 0);
	for (unsigned int i = 0; i < opt.messages; i++) {
		for (unsigned int to = 0; to < opt.pairs; to++) {
			if (write(g->ways[to][1], message, opt.size) != (ssize_t)opt.size)
				return 1;
		}
	}
	return 0;
}

/* Until all senders are gone; every byte must have come. */
static int receive_all(const struct group *g, unsigned int me)
{
	uint64_t left = (uint64_t)opt.size * opt.messages * opt.pairs;
	char message[MAX_SIZE];
	ssize_t n;

	close_side(g, 1);
	while ((n = read(g->ways[me][0], message, opt.size)) > 0)
		left -= (uint64_t)n;
	return n || left ? 1 : 0;
}

/* One that cannot be forked is missed by the others, which then fail. */
static int fork_member(const struct group *g, unsigned int i)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(i < opt.pairs ? send_all(g) : receive_all(g, i - opt.pairs));
	return 0;
}

static int wait_for_children(void)
{
	int status, err = 0;

	while (wait(&status) >= 0) {
		if (status)
			err = -EIO;
	}
	return err;
}

static int one_round(void)
{
	struct group g;
	int err = 0, ended;

	for (unsigned int i = 0; i < opt.pairs; i++) {
		err = open_way(g.ways[i]);
		if (err)
			return err;
	}
	for (unsigned int i = 0; i < 2 * opt.pairs && !err; i++)
		err = fork_member(&g, i);
	close_side(&g, 0);
	close_side(&g, 1);
	ended = wait_for_children();
	return err ? err : ended;
}

static int lead_group(void)
{
	int err = 0;

	for (unsigned int i = 0; i < opt.rounds && !err; i++)
		err = one_round();
	if (err)
		fprintf(stderr, "messages: %s\n", strerror(-err));
	return err ? 1 : 0;
}

static int run(void)
{
	uint64_t start = now_ns();
	int err;

	for (unsigned int i = 0; i < opt.groups; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (!pid)
			_exit(lead_group());
	}
	err = wait_for_children();
	printf("{\"mode\":\"messages\",\"groups\":%u,\"processes\":%" PRIu64
	       ",\"messages\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64 "}\n",
	       opt.groups, (uint64_t)opt.groups * opt.rounds * opt.pairs * 2,
	       (uint64_t)opt.groups * opt.rounds * opt.pairs * opt.pairs * opt.messages,
	       now_ns() - start);
	return err;
}

static const struct option long_options[] = {
	{ "groups", required_argument, NULL, 'g' }, { "pairs", required_argument, NULL, 'p' },
	{ "rounds", required_argument, NULL, 'r' }, { "messages", required_argument, NULL, 'm' },
	{ "size", required_argument, NULL, 's' },   { "sockets", no_argument, NULL, 'S' },
	{ "help", no_argument, NULL, 'h' },	    { 0 },
};

static const char usage_text[] = "Usage: messages [OPTION]...\n"
				 "  --groups N    of processes (2)\n"
				 "  --pairs N     senders, and as many receivers, per group (2)\n"
				 "  --rounds N    so often they are forked and exit (10)\n"
				 "  --messages N  from each sender to each receiver (50)\n"
				 "  --size BYTES  of a message (100)\n"
				 "  --sockets     socket pairs instead of pipes\n"
				 "Prints what was done as a JSON object.\n";

static int parse_one(int c, const char *arg)
{
	switch (c) {
	case 'g':
		return parse_uint(arg, MAX_GROUPS, &opt.groups);
	case 'p':
		return parse_uint(arg, MAX_PAIRS, &opt.pairs);
	case 'r':
		return parse_uint(arg, UINT32_MAX, &opt.rounds);
	case 'm':
		return parse_uint(arg, UINT32_MAX, &opt.messages);
	case 's':
		return parse_uint(arg, MAX_SIZE, &opt.size);
	case 'S':
		opt.sockets = true;
		return 0;
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "messages",
		.usage = usage_text,
		.options = long_options,
		.parse = parse_one,
		.run = run,
	};

	return program_main(&program, argc, argv);
}
