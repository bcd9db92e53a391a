// SPDX-License-Identifier: GPL-2.0
/* Printable copies of foreign text, and files of unknown size. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* Code points that are valid but change how a line looks, or cannot be seen. */
static bool deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x061c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffc) ||
	       (c >= 0xe0000 && c <= 0xe0fff) || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff;
}

/* Decode one character of 2 to 4 bytes: its length, or 0 if it is broken or too long a form. */
static size_t utf8(const unsigned char *s, size_t len, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = (*s & 0xe0) == 0xc0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : (*s & 0xf8) == 0xf0 ? 4 : 0;

	if (!n || n > len)
		return 0;
	*c = *s & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	return *c < least[n] ? 0 : n;
}

char *ks_printable(char *dst, size_t size, const char *src, size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t in = 0, out = 0;

	if (!size)
		return dst;
	while (in < len && s[in] && out + 1 < size) {
		uint32_t c = s[in];
		size_t n = c < 0x80 ? 1 : utf8(s + in, len - in, &c);

		if (!n || deceptive(c)) {
			dst[out++] = '?';
			in += n ? n : 1;
			continue;
		}
		if (out + n >= size)
			break;
		memcpy(dst + out, s + in, n);
		out += n;
		in += n;
	}
	dst[out] = '\0';
	return dst;
}

char *ks_column(char *dst, size_t size, const char *text, unsigned int width)
{
	unsigned int chars = 0;
	size_t n = 0;

	for (; text[n]; n++) {
		bool begins = (text[n] & 0xc0) != 0x80;

		if (begins && chars == width)
			break;
		chars += begins;
	}
	snprintf(dst, size, "%.*s%*s", (int)n, text, (int)(width - chars), "");
	return dst;
}

/* Make room for at least one more page and a NUL. */
static int grow(char **buf, size_t used, size_t *room)
{
	char *p;

	if (used + 1 < *room)
		return 0;
	*room = *room ? *room * 2 : 4096;
	p = realloc(*buf, *room);
	if (!p)
		return -ENOMEM;
	*buf = p;
	return 0;
}

static int read_all(int fd, size_t max, char **buf, size_t *used)
{
	size_t room = 0;

	for (;;) {
		ssize_t n;
		int ret = grow(buf, *used, &room);

		if (ret)
			return ret;
		n = read(fd, *buf + *used, room - *used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		*used += (size_t)n;
		if (*used > max)
			return -EFBIG;
	}
	(*buf)[*used] = '\0';
	return 0;
}

int ks_read_file(const char *path, size_t max, char **buf, size_t *len)
{
	size_t used = 0;
	int fd, ret;

	*buf = NULL;
	/* A FIFO or a device in place of a file must not block us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	ret = read_all(fd, max, buf, &used);
	close(fd);
	if (ret) {
		free(*buf);
		*buf = NULL;
		return ret;
	}
	if (len)
		*len = used;
	return 0;
}

static int path_of(char *path, size_t size, const char *root, const char *fmt, va_list ap)
{
	int n = snprintf(path, size, "%s", root ? root : "");

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	size -= (size_t)n;
	n = vsnprintf(path + n, size, fmt, ap);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int ks_read_at(const char *root, size_t max, char **buf, size_t *len, const char *fmt, ...)
{
	char path[4096];
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = path_of(path, sizeof(path), root, fmt, ap);
	va_end(ap);
	*buf = NULL;
	return ret ? ret : ks_read_file(path, max, buf, len);
}

int ks_read_line(const char *root, char *buf, size_t size, const char *fmt, ...)
{
	char path[4096], *text;
	va_list ap;
	size_t len;
	int ret;

	if (size)
		buf[0] = '\0';
	va_start(ap, fmt);
	ret = path_of(path, sizeof(path), root, fmt, ap);
	va_end(ap);
	if (!ret)
		ret = ks_read_file(path, 1 << 20, &text, &len);
	if (ret)
		return ret;
	ks_printable(buf, size, text, strcspn(text, "\n"));
	free(text);
	return 0;
}

bool ks_exists(const char *root, const char *fmt, ...)
{
	char path[4096];
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = path_of(path, sizeof(path), root, fmt, ap);
	va_end(ap);
	return !ret && !access(path, F_OK);
}

static bool ends_word(const char *p)
{
	return !*p || *p == ' ' || *p == '\n' || p[-1] == '=';
}

bool ks_on_command_line(const char *root, const char *word)
{
	size_t n = strlen(word);
	bool found = false;
	char *text;

	if (ks_read_at(root, 1 << 16, &text, NULL, "/proc/cmdline"))
		return false;
	for (char *p = text; (p = strstr(p, word)) && !found; p += n)
		found = (p == text || p[-1] == ' ') && ends_word(p + n);
	free(text);
	return found;
}
