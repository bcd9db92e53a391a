/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of vm-share. Each returns the exit code. */
#ifndef KVMSCHED_SHARE_COMMANDS_H
#define KVMSCHED_SHARE_COMMANDS_H

int share_apply(int argc, char **argv);
int share_move(int argc, char **argv);
int share_status(int argc, char **argv);
int share_restore(int argc, char **argv);
int share_release(int argc, char **argv);
int share_watch(int argc, char **argv);
int share_agent(int argc, char **argv);
int share_check(int argc, char **argv);

#endif /* KVMSCHED_SHARE_COMMANDS_H */
