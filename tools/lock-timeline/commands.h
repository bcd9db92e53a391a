/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_LOCK_TIMELINE_COMMANDS_H
#define KVMSCHED_LOCK_TIMELINE_COMMANDS_H

int lock_record(int argc, char **argv);
int lock_stream(int argc, char **argv);
int lock_collect(int argc, char **argv);
int lock_publish(int argc, char **argv);
int lock_report(int argc, char **argv);
int lock_plot(int argc, char **argv);
int lock_check(int argc, char **argv);

#endif /* KVMSCHED_LOCK_TIMELINE_COMMANDS_H */
