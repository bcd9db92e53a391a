/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that are to run before others at the same end of a function. There the kernel runs the program first that was
 * attached last (bpf_trampoline_link_prog() puts it at the head of the list), so who must not be late has to look, now and
 * then, whether somebody came after it.
 */
#ifndef KVMSCHED_STAYFIRST_H
#define KVMSCHED_STAYFIRST_H

#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_program;

/* One of them; *link is NULL while it is not attached. Links belong to the caller. */
struct ks_first {
	struct bpf_program *prog;
	struct bpf_link **link;
};

/*
 * Attaches all of them anew if a program came before one of them since the last call; *seen is what that call left, 0 at first.
 * They are detached in the order in which they stand there, and attached in the reverse one; meanwhile they do not run.
 * Without CAP_SYS_ADMIN it cannot be known, and nothing is done. 0, or -errno: some are not attached any more.
 */
int ks_stay_first(const struct ks_first *progs, size_t n, uint32_t *seen);

#endif /* KVMSCHED_STAYFIRST_H */
