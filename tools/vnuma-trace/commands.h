/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_VNUMA_TRACE_COMMANDS_H
#define KVMSCHED_VNUMA_TRACE_COMMANDS_H

int vnuma_record(int argc, char **argv);
int vnuma_plot(int argc, char **argv);
int vnuma_report(int argc, char **argv);
int vnuma_top(int argc, char **argv);

#endif /* KVMSCHED_VNUMA_TRACE_COMMANDS_H */
