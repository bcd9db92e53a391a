/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A policy file, for those who want a policy always on: options of `attach`, one per line, as on the
 * command line but without dashes ("vm=web-3"); "policy=NAME" names the policy. Empty lines and those
 * that begin with '#' do not count.
 */
#ifndef KVMSCHED_POLICY_FILE_H
#define KVMSCHED_POLICY_FILE_H

#include "trace.h"

/*
 * The file as a command line: argv[0] is `name`, NULL at the end; free with file_args_free(). 0 or
 * -errno + err, which names file and line.
 */
int file_args(const char *path, const char *name, int *argc, char ***argv, struct ks_err *err);
void file_args_free(char **argv);

#endif /* KVMSCHED_POLICY_FILE_H */
