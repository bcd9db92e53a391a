/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of vcpu-policy. Each returns the exit code. */
#ifndef KVMSCHED_POLICY_COMMANDS_H
#define KVMSCHED_POLICY_COMMANDS_H

int policy_list(int argc, char **argv);
int policy_attach(int argc, char **argv);
int policy_status(int argc, char **argv);
int policy_detach(int argc, char **argv);
int policy_restore(int argc, char **argv);

/* For people: what was not put back, for its owner has changed it meanwhile. */
struct ks_undone;
void policy_tell_left(const struct ks_undone *u);

#endif /* KVMSCHED_POLICY_COMMANDS_H */
