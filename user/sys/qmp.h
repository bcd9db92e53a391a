/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's monitor protocol, over the UNIX socket of one VM. What QEMU says is parsed with bounds and a deadline. */
#ifndef KVMSCHED_QMP_H
#define KVMSCHED_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_err;
struct ks_qmp;
struct json_object;

/*
 * Connect, and get ready for commands. tgid: the process that has to listen there, 0: whoever does. timeout_ms: for each of
 * what follows. 0 or -errno + err (-EREMOTE: another process listens; -EBUSY or -ETIMEDOUT: somebody else is connected, as
 * QEMU takes one at a time).
 */
int ks_qmp_open(struct ks_qmp **q, const char *path, uint32_t tgid, int timeout_ms,
		struct ks_err *err);
void ks_qmp_close(struct ks_qmp *q);

/*
 * Run a command; args (may be NULL) is taken over. *result is what it returned, the caller's (may be
 * NULL if it is not wanted). 0; -EREMOTEIO: QEMU refused (err has its words); -errno.
 */
int ks_qmp_run(struct ks_qmp *q, const char *command, struct json_object *args,
	       struct json_object **result, struct ks_err *err);

/*
 * The socket that this QEMU process listens on for QMP, as its command line says: -qmp unix:PATH,... or
 * -chardev socket,id=X,path=PATH with -mon chardev=X,mode=control. 0 or -ENOENT.
 */
int ks_qmp_path(const char *root, uint32_t tgid, char *path, size_t size);

#endif /* KVMSCHED_QMP_H */
