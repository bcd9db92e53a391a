/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands on the host have in common: the folder, the lock, the book. */
#ifndef KVMSCHED_SHARE_TURN_H
#define KVMSCHED_SHARE_TURN_H

#include <argp.h>

#include "book.h"
#include "sharer.h"

#define TURN_WAIT_MS 10000 /* for another vm-share to finish */

struct turn_options {
	const char *dir;
	uint32_t port;
	bool no_agent, json, dry_run;
	uint64_t every_ns, answer_ns;
	char *plan;  /* a file, for watch */
	char **args; /* words that are no options */
};

enum { TURN_OPT_DIR = 0x200, TURN_OPT_PORT, TURN_OPT_NO_AGENT, TURN_OPT_JSON, TURN_OPT_ANSWER };

#define TURN_DIR                                                                                   \
	{                                                                                          \
		"state-dir",                                                                       \
		TURN_OPT_DIR,                                                                      \
		"DIR",                                                                             \
		0,                                                                                 \
		"what is kept of it lies here (" KS_STATE_DIR ")",                                 \
		0                                                                                  \
	}
#define TURN_AGENT                                                                                  \
	{ "port", TURN_OPT_PORT, "N", 0, "vsock port (of agents in guests, 934)", 0 },              \
		{ "answer", TURN_OPT_ANSWER, "TIME", 0, "an agent has so long to answer (1s)", 0 }, \
		{ "no-agent", TURN_OPT_NO_AGENT, NULL, 0, "ask no agent: hold every VM down", 0 }

/* Handles the options above and words; input is struct turn_options. */
error_t turn_parse(int key, char *arg, struct argp_state *state);
/* ... of a command that takes no words. */
error_t turn_parse_alone(int key, char *arg, struct argp_state *state);
void turn_defaults(struct turn_options *o);

/* A command's turn: it alone changes anything. */
struct turn {
	int lock;
	struct ks_book *book; /* NULL: no plan is applied */
	struct ks_sharer sharer;
};

/* No turn yet, and no connection to an agent. */
void turn_init(struct turn *t, const struct turn_options *o);

/* Take the turn, waiting for others up to wait_ms, and read the book if there is one. 0 or the exit code. */
int turn_take(struct turn *t, const struct turn_options *o, int wait_ms);
/* The same for commands that need a plan, with no hand-over interrupted. */
int turn_take_settled(struct turn *t, const struct turn_options *o);
/* What keeps other commands than restore and release from this book: one line, or NULL. */
const char *turn_obstacle(const struct ks_book *b);
/* It is another one's turn; connections stay open. */
void turn_leave(struct turn *t);

/* Both, for commands that have one turn. */
int turn_begin(struct turn *t, const struct turn_options *o, int wait_ms);
/* Leave the turn if it is ours, and hang up. */
void turn_end(struct turn *t);

/* The process whose turn it is now, 0 if nobody's, -1 if we may not look. */
int turn_of(const char *dir);

#endif /* KVMSCHED_SHARE_TURN_H */
