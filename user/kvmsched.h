/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libkvmsched: reads the traces of ple-trace(1) and lock-timeline(1), puts guests' on their host's
 * clock, merges and analyses them. For C and C++; needs no privilege and no KVM.
 *
 *	cc prog.c $(pkg-config --cflags --libs libkvmsched)
 *
 * Two levels:
 *
 *   kvmsched/session.h   from files to results: opens a host's trace and its guests', finds out
 *                        which guest is which VM, analyses; results come through the callbacks
 *                        of kvmsched/analyze.h, names from kvmsched/names.h, the report that
 *                        `lock-timeline report` prints from kvmsched/report.h
 *   kvmsched/trace.h     the records as they are: reader, writer, merge; kvmsched/records.h says
 *                        what each means, kvmsched/clock.h maps times
 *
 * What holds everywhere, unless a declaration says otherwise:
 *
 *   Units      times are nanoseconds, of the host's CLOCK_MONOTONIC behind a session or merge and
 *              of the recording machine's own CLOCK_MONOTONIC in a record; sizes are bytes
 *   Errors     functions that can fail return 0 or a negative errno; one with a struct ks_err
 *              fills in a line for people. Nothing prints, exits or raises a signal
 *   Ownership  what an _open or _new gave is freed by the _close or _free of the same name, which
 *              takes NULL only where it says so; pointers returned otherwise are borrowed and
 *              live as long as the object; what a callback is given lives until it returns
 *   Threads    an object is used by one thread at a time; different objects do not meet
 *   Trust      a guest's trace is hostile input: any bytes may be given to the readers. Names
 *              from it come out printable
 *
 * The metadata of a trace is a json-c object (struct json_object): include <json-c/json.h> to read
 * it. Its members are listed in trace-format.md, with the format of the files.
 *
 * The soname changes when the layout of a struct or the meaning of a function does.
 */
#ifndef KVMSCHED_H
#define KVMSCHED_H

#include <kvmsched/analyze.h>
#include <kvmsched/clock.h>
#include <kvmsched/link.h>
#include <kvmsched/names.h>
#include <kvmsched/records.h>
#include <kvmsched/report.h>
#include <kvmsched/session.h>
#include <kvmsched/trace.h>
#include <kvmsched/vcpu.h>

#endif /* KVMSCHED_H */
