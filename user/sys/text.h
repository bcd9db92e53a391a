/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small helpers on text and files that come from elsewhere: names of processes and guests contain
 * anything, files of /proc and /sys have no size.
 *
 * "root" in this directory is a prefix put before "/proc/..." and "/sys/...": NULL or "" on a real
 * machine, a folder with a made-up tree in tests.
 */
#ifndef KVMSCHED_TEXT_H
#define KVMSCHED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy src[0..len) to dst[0..size) so that it is safe to print: printable ASCII and well-formed
 * UTF-8 stay; control characters, direction overrides, invisible characters and broken UTF-8
 * become '?'. Stops at a NUL. Always NUL-terminated, never cuts a character in two. Returns dst.
 */
char *ks_printable(char *dst, size_t size, const char *src, size_t len);

/*
 * Text of ks_printable() as a column of a table: cut to so many characters or filled up with spaces.
 * Four bytes per character and one more are enough. Returns dst.
 */
char *ks_column(char *dst, size_t size, const char *text, unsigned int width);

/*
 * Read a whole file, at most max bytes of it (then -EFBIG): *buf is malloc()ed, NUL-terminated
 * beyond *len (may be NULL), the caller's. 0 or -errno.
 */
int ks_read_file(const char *path, size_t max, char **buf, size_t *len);

/* The same for root + a path made by printf. */
int ks_read_at(const char *root, size_t max, char **buf, size_t *len, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* First line of root + path into buf[size], without newline, made printable. 0 or -errno. */
int ks_read_line(const char *root, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Is there such a path? */
bool ks_exists(const char *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Was the kernel booted with this word? One that ends with '=' may have any value. */
bool ks_on_command_line(const char *root, const char *word);

#endif /* KVMSCHED_TEXT_H */
