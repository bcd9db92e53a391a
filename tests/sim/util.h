/* SPDX-License-Identifier: GPL-2.0 */
/* Memory and messages of the test program; it ends where it cannot go on. */
#ifndef SIM_UTIL_H
#define SIM_UTIL_H

#include <stddef.h>

void *must_alloc(size_t size); /* zeroed */
void *must_realloc(void *p, size_t size);
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif /* SIM_UTIL_H */
