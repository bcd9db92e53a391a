// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tasknames.h"
#include "text.h"

#define PIDS (1u << 22) /* the kernel's own limit of thread ids */
#define TOLD (1u << 16) /* threads whose last name is remembered */
#define YOUNG 4096u	/* of one second */
#define LOOK_AGAIN 10u	/* seconds */

struct told {
	uint32_t pid;
	char name[KS_TASKNAME];
};

struct ks_tasknames {
	const char *root;
	unsigned int seconds, nyoung;
	uint32_t young[YOUNG];	  /* first looked at in this second */
	struct told told[TOLD];	  /* by thread id modulo TOLD: one too many is told twice */
	uint8_t looked[PIDS / 8]; /* a bit per thread id: not to be looked at now */
};

int ks_tasknames_new(struct ks_tasknames **out, const char *root)
{
	struct ks_tasknames *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->root = root;
	*out = t;
	return 0;
}

void ks_tasknames_free(struct ks_tasknames *t)
{
	free(t);
}

static bool is_news(struct ks_tasknames *t, uint32_t pid, const char name[KS_TASKNAME])
{
	struct told *told = &t->told[pid % TOLD];

	if (told->pid == pid && !strcmp(told->name, name))
		return false;
	if (told->pid != pid && t->nyoung < YOUNG)
		t->young[t->nyoung++] = pid;
	told->pid = pid;
	strcpy(told->name, name);
	return true;
}

bool ks_tasknames_look(struct ks_tasknames *t, uint32_t pid, char name[KS_TASKNAME])
{
	if (!pid || pid >= PIDS || t->looked[pid / 8] & 1 << pid % 8)
		return false;
	t->looked[pid / 8] |= 1 << pid % 8;
	if (ks_read_line(t->root, name, KS_TASKNAME, "/proc/%u/comm", pid))
		return false;
	return is_news(t, pid, name);
}

void ks_tasknames_second(struct ks_tasknames *t)
{
	while (t->nyoung) {
		uint32_t pid = t->young[--t->nyoung];

		t->looked[pid / 8] &= ~(1 << pid % 8);
	}
	if (++t->seconds % LOOK_AGAIN == 0)
		memset(t->looked, 0, sizeof(t->looked));
}
