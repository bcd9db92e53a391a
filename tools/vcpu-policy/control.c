// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "boost.h"
#include "cli.h"
#include "commands.h"
#include "journal.h"
#include "options.h"
#include "state.h"
#include "wake.h"

struct options {
	const char *dir;
	bool json;
};

enum { OPT_JSON = 0x100, OPT_DIR };

#define DIR_OPTION                                                                                 \
	{ "state-dir", OPT_DIR, "DIR", 0, "what is kept of it lies here (" KS_STATE_DIR ")", 0 }
static const struct argp_option with_json[] = {
	CLI_JSON(OPT_JSON),
	DIR_OPTION,
	{ 0 },
};

static const struct argp_option without_json[] = { DIR_OPTION, { 0 } };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_DIR:
		o->dir = arg;
		return 0;
	case ARGP_KEY_ARG:
		cli_bad_usage("'%s' is too much", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- list ---- */

int policy_list(int argc, char **argv)
{
	const struct argp argp = { .options = without_json,
				   .parser = parse,
				   .doc = "The policies, and whether this machine can run them.\v"
					  "Examples:\n"
					  "  vcpu-policy list\n" };
	struct options o = { .dir = KS_STATE_DIR };
	struct ks_err err = { "" };
	int ret = cli_parse(&argp, argc, argv, &o), scx, cgroup, wake;

	if (ret)
		return ret;
	puts("ple-boost     after a PLE exit the rest of the time slice goes to a vCPU of the same "
	     "VM");
	puts("              that waits for a pCPU and may hold the lock");
	scx = ks_boost_usable(NULL, KS_BOOST_SCX, &err);
	printf("              sched_ext: %s\n", scx ? err.msg : "can be attached");
	cgroup = ks_boost_usable(NULL, KS_BOOST_CGROUP, &err);
	printf("              cgroup: %s\n",
	       cgroup ? err.msg : "can be attached, by --backend cgroup; weaker, may do harm");
	puts("holder-boost  the same with guests that publish their locks (lock-timeline "
	     "publish):");
	puts("              who holds the lock, or is next for it, need not be guessed");
	ks_boost_usable(NULL, KS_BOOST_SCX, &err);
	printf("              sched_ext: %s\n", scx ? err.msg : "can be attached");
	puts("vnuma-wake    for a guest's own threads: who wakes up runs on its last CPU if that "
	     "is idle,");
	puts("              else on an idle one of its node, else on any; short sleepers stay "
	     "where they "
	     "are");
	wake = ks_wake_usable(NULL, &err);
	printf("              sched_ext: %s\n", wake ? err.msg : "can be attached");
	return cli_end(scx && cgroup && wake ? CLI_EXIT_LACKING : CLI_EXIT_OK);
}

/* ---- status ---- */

static int print_none(const struct options *o, int holder)
{
	if (o->json && holder)
		printf("{\"schema\":1,\"policy\":null,\"under_way\":%d}\n", holder);
	else if (o->json)
		puts("{\"schema\":1,\"policy\":null}");
	else if (holder)
		printf("no policy is attached; process %d is about to change that\n", holder);
	else
		puts("no policy is attached");
	return CLI_EXIT_FAILED;
}

/* The file comes when a policy is attached and goes when it is detached, both while the journal is held. */
static int print_status(const struct options *o, int holder)
{
	struct json_object *state;
	char *text;
	int ret = state_read(o->dir, &text);

	if (ret == -ENOENT)
		return print_none(o, holder);
	if (ret) {
		cli_error("%s/status.json: %s", o->dir, strerror(-ret));
		return CLI_EXIT_FAILED;
	}
	state = o->json ? NULL : json_tokener_parse(text);
	if (state)
		state_print(state);
	else
		puts(text);
	json_object_put(state);
	free(text);
	return CLI_EXIT_OK;
}

int policy_status(int argc, char **argv)
{
	const struct argp argp = { .options = with_json,
				   .parser = parse,
				   .doc = "What the attached policy does. Exit code 1 if there "
					  "is none.\v"
					  "Examples:\n"
					  "  vcpu-policy status\n"
					  "  vcpu-policy status --json | jq .\n" };
	struct options o = { .dir = KS_STATE_DIR };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	ret = ks_journal_holder(o.dir);
	if (ret < 0) {
		cli_error("%s: %s%s", o.dir, strerror(-ret),
			  ret == -EACCES ? " (run as root)" : "");
		return ret == -EACCES ? CLI_EXIT_LACKING : CLI_EXIT_FAILED;
	}
	return cli_end(ret ? print_status(&o, ret) : print_none(&o, 0));
}

/* ---- detach, restore ---- */

/* It puts everything back itself; long is what a loaded machine needs. */
static bool gone_within(const char *dir, unsigned int seconds)
{
	const struct timespec moment = { 0, 50000000 };
	unsigned int i;

	for (i = 0; i < seconds * 20; i++) {
		if (!ks_journal_holder(dir))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

void policy_tell_left(const struct ks_undone *u)
{
	if (u->left == 1)
		cli_warn("%s is left as it is: it was changed meanwhile", u->left_path);
	else if (u->left)
		cli_warn("%s and %u others are left as they are: they were changed meanwhile",
			 u->left_path, u->left - 1);
}

static int put_back(const char *dir, struct ks_undone *u)
{
	struct ks_err err = { "" };
	struct ks_journal *j;
	int ret = ks_journal_open(&j, dir, &err);

	memset(u, 0, sizeof(*u));
	if (ret)
		return cli_fail(ret, &err);
	ret = ks_journal_undo(j, u);
	ks_journal_close(j);
	state_remove(dir);
	policy_tell_left(u);
	if (!ret)
		return CLI_EXIT_OK;
	cli_error("%u of %u changes cannot be undone: %s", u->failed, u->entries, strerror(-ret));
	return CLI_EXIT_FAILED;
}

/* One that was killed before it was done has left the rest to us, or to the next one if there is. */
static int put_back_rest(const char *dir)
{
	struct ks_undone u;
	int ret;

	if (!ks_journal_is_used(dir) || ks_journal_holder(dir))
		return CLI_EXIT_OK;
	ret = put_back(dir, &u);
	if (u.undone)
		cli_warn("the policy was killed meanwhile: %u changes undone", u.undone);
	return ret;
}

int policy_detach(int argc, char **argv)
{
	const struct argp argp = { .options = without_json,
				   .parser = parse,
				   .doc = "End the attached policy; everything is put back.\v"
					  "Examples:\n"
					  "  vcpu-policy detach\n" };
	struct options o = { .dir = KS_STATE_DIR };
	int pid, ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	pid = ks_journal_holder(o.dir);
	if (!pid) {
		cli_error("no policy is attached");
		return CLI_EXIT_FAILED;
	}
	if (pid < 0 || (kill(pid, SIGTERM) && errno != ESRCH)) {
		cli_error("process %d: %s", pid, strerror(pid < 0 ? -pid : errno));
		return CLI_EXIT_LACKING;
	}
	if (gone_within(o.dir, 30))
		return put_back_rest(o.dir);
	cli_error("process %d does not end; kill it and run `vcpu-policy restore`", pid);
	return CLI_EXIT_FAILED;
}

int policy_restore(int argc, char **argv)
{
	const struct argp argp = { .options = without_json,
				   .parser = parse,
				   .doc = "Put back what a policy that was killed has left behind. "
					  "Does no harm where there is nothing.\v"
					  "Examples:\n"
					  "  vcpu-policy restore\n" };
	struct options o = { .dir = KS_STATE_DIR };
	struct ks_undone u;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	ret = put_back(o.dir, &u);
	if (ret == CLI_EXIT_OK)
		cli_note("%u changes undone", u.undone);
	return ret;
}
