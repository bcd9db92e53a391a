// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent_msg.h"
#include "args.h"
#include "cli.h"
#include "filelock.h"
#include "journal.h"
#include "turn.h"

void turn_defaults(struct turn_options *o)
{
	*o = (struct turn_options){ .dir = KS_STATE_DIR,
				    .port = KS_AGENT_PORT,
				    .answer_ns = KS_AGENT_TIMEOUT_MS * 1000000ull };
}

static void take_answer(struct turn_options *o, const char *arg)
{
	struct ks_err err;

	if (ks_arg_duration("--answer", arg, 1000000000, &o->answer_ns, &err))
		cli_usage(&err);
	if (o->answer_ns < 1000000 || o->answer_ns > 60000000000)
		cli_bad_usage("--answer: use 1ms to 60s");
}

error_t turn_parse(int key, char *arg, struct argp_state *state)
{
	struct turn_options *o = state->input;
	struct ks_err err;
	uint64_t port;

	switch (key) {
	case TURN_OPT_DIR:
		o->dir = arg;
		return 0;
	case TURN_OPT_PORT:
		if (ks_arg_uint("--port", arg, 1, KS_AGENT_ROOT_PORTS - 1, &port, &err))
			cli_usage(&err);
		o->port = (uint32_t)port;
		return 0;
	case TURN_OPT_ANSWER:
		take_answer(o, arg);
		return 0;
	case TURN_OPT_NO_AGENT:
		o->no_agent = true;
		return 0;
	case TURN_OPT_JSON:
		o->json = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->args = state->argv + state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t turn_parse_alone(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		cli_bad_usage("'%s' is too much", arg);
	return key == ARGP_KEY_ARGS ? ARGP_ERR_UNKNOWN : turn_parse(key, arg, state);
}

static int open_lock(const char *dir, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/share.lock", dir);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int turn_of(const char *dir)
{
	int fd = open_lock(dir, O_RDONLY), pid;

	if (fd < 0)
		return errno == EACCES ? -1 : 0;
	pid = ks_filelock_holder(fd);
	close(fd);
	return pid > 0 ? pid : 0;
}

/* Hand-overs are short: whoever comes second waits. */
static int take_lock(int fd, int wait_ms)
{
	const struct timespec moment = { 0, 2000000 };

	while (!ks_filelock_take(fd)) {
		if (wait_ms <= 0) {
			cli_error("another vm-share is at work (process %d)",
				  ks_filelock_holder(fd));
			return CLI_EXIT_FAILED;
		}
		nanosleep(&moment, NULL);
		wait_ms -= 2;
	}
	return 0;
}

static int open_turn(struct turn *t, const struct turn_options *o)
{
	if (mkdir(o->dir, 0755) && errno != EEXIST) {
		cli_error("%s: %s", o->dir, strerror(errno));
		return errno == EACCES || errno == EPERM ? CLI_EXIT_LACKING : CLI_EXIT_FAILED;
	}
	t->lock = open_lock(o->dir, O_RDWR | O_CREAT);
	if (t->lock >= 0)
		return 0;
	cli_error("%s/share.lock: %s%s", o->dir, strerror(errno),
		  errno == EACCES ? "; run as root" : "");
	return errno == EACCES ? CLI_EXIT_LACKING : CLI_EXIT_FAILED;
}

void turn_init(struct turn *t, const struct turn_options *o)
{
	*t = (struct turn){ .lock = -1 };
	ks_sharer_init(&t->sharer, o->dir);
	t->sharer.port = o->no_agent ? 0 : o->port;
	t->sharer.answer_ms = (int)(o->answer_ns / 1000000);
}

int turn_take(struct turn *t, const struct turn_options *o, int wait_ms)
{
	struct ks_err err;
	int ret = open_turn(t, o);

	if (!ret)
		ret = take_lock(t->lock, wait_ms);
	if (!ret) {
		ret = ks_book_load(&t->book, o->dir, &err);
		if (ret == -ENOENT)
			ret = 0;
		else if (ret)
			ret = cli_fail(ret, &err);
	}
	if (ret)
		turn_leave(t);
	return ret;
}

void turn_leave(struct turn *t)
{
	ks_book_free(t->book);
	if (t->lock >= 0)
		close(t->lock);
	t->book = NULL;
	t->lock = -1;
}

const char *turn_obstacle(const struct ks_book *b)
{
	if (b->releasing)
		return "a release was interrupted: `vm-share release` again";
	if (!ks_book_is_settled(b))
		return "a hand-over was interrupted: `vm-share restore` first (`vm-share status` "
		       "tells more)";
	return NULL;
}

int turn_take_settled(struct turn *t, const struct turn_options *o)
{
	int ret = turn_take(t, o, TURN_WAIT_MS);
	const char *obstacle;

	if (ret)
		return ret;
	obstacle = t->book ? turn_obstacle(t->book) : "no plan is applied: `vm-share apply` first";
	if (!obstacle)
		return 0;
	cli_error("%s", obstacle);
	turn_leave(t);
	return CLI_EXIT_FAILED;
}

int turn_begin(struct turn *t, const struct turn_options *o, int wait_ms)
{
	turn_init(t, o);
	return turn_take(t, o, wait_ms);
}

void turn_end(struct turn *t)
{
	turn_leave(t);
	ks_sharer_end(&t->sharer);
}
