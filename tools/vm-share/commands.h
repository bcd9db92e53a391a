/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of vm-share. Each returns the exit code. */
#ifndef KVMSCHED_SHARE_COMMANDS_H
#define KVMSCHED_SHARE_COMMANDS_H

struct turn_options;

/* What `restore' and `apply' do, for others. 0 or the exit code; words that are no plan end the process. */
int share_mend(const struct turn_options *o);
int share_hold_to(const struct turn_options *o, char **words);

int share_apply(int argc, char **argv);
int share_move(int argc, char **argv);
int share_status(int argc, char **argv);
int share_restore(int argc, char **argv);
int share_release(int argc, char **argv);
int share_watch(int argc, char **argv);
int share_agent(int argc, char **argv);
int share_check(int argc, char **argv);

#endif /* KVMSCHED_SHARE_COMMANDS_H */
