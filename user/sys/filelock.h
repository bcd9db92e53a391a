/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record lock on a whole file: who asks whether it is held does not take it, even for a moment,
 * and is told by the kernel who holds it. It goes when the holder closes any descriptor of the file.
 */
#ifndef KVMSCHED_FILELOCK_H
#define KVMSCHED_FILELOCK_H

#include <stdbool.h>

/* Take it, without waiting: fd is open for writing. */
bool ks_filelock_take(int fd);

/* The other process that holds it; 0 = nobody; -errno. */
int ks_filelock_holder(int fd);

#endif /* KVMSCHED_FILELOCK_H */
