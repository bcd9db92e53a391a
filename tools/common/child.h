/* SPDX-License-Identifier: GPL-2.0 */
/* A tool that runs until a signal, or until a command that it starts ends. */
#ifndef KVMSCHED_CHILD_H
#define KVMSCHED_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct child {
	pid_t pid; /* 0 = there is no command */
	bool done;
	int code; /* once done: as a shell gives it */
};

/*
 * Block the signals that end a run, and SIGCHLD, before any thread is made; what was ignored when
 * we were started (nohup, a shell's background jobs) stays so.
 */
void child_signals(void);

/* Sleep so long or until one of them comes: its number, or -1. */
int child_signal_within(const struct timespec *ts);

/*
 * Call fn, which writes to somebody who may not read: has one of the ending ones come meanwhile? If it does not return
 * within a second after that, the program is ended by it.
 */
bool child_signal_during(void (*fn)(void *ctx), void *ctx);

/* A signalfd for them, for loops that wait for other things as well; the caller's. -errno. */
int child_signal_fd(void);

/* Start a command (NULL-terminated). 0 or -errno. */
int child_start(struct child *c, char **command);

/* After SIGCHLD: has it ended? */
bool child_reaped(struct child *c);

/* Ask it to end if it runs; after some seconds, make it. */
void child_end(struct child *c);

#endif /* KVMSCHED_CHILD_H */
