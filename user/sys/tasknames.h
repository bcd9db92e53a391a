/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of threads, looked up while records of them come in. A thread is looked at once, again a
 * second later, because it may have been on its way from fork() to exec(), and then every ten
 * seconds, because names change and thread ids come back.
 */
#ifndef KVMSCHED_TASKNAMES_H
#define KVMSCHED_TASKNAMES_H

#include <stdbool.h>
#include <stdint.h>

struct ks_tasknames;

#define KS_TASKNAME 16 /* as the kernel's TASK_COMM_LEN */

/* root: in front of /proc, for tests; NULL = "". Borrowed. 0 or -ENOMEM. */
int ks_tasknames_new(struct ks_tasknames **t, const char *root);
void ks_tasknames_free(struct ks_tasknames *t);

/* True: this is the thread's name now, and it was not the answer before. */
bool ks_tasknames_look(struct ks_tasknames *t, uint32_t pid, char name[KS_TASKNAME]);

/* A second has gone by. */
void ks_tasknames_second(struct ks_tasknames *t);

#endif /* KVMSCHED_TASKNAMES_H */
