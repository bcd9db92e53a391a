/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_PLE_TRACE_COMMANDS_H
#define KVMSCHED_PLE_TRACE_COMMANDS_H

int ple_record(int argc, char **argv);
int ple_top(int argc, char **argv);
int ple_serve(int argc, char **argv);
int ple_report(int argc, char **argv);
int ple_check(int argc, char **argv);

#endif /* KVMSCHED_PLE_TRACE_COMMANDS_H */
