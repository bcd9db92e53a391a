// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"
#include "now.h"
#include "qmp.h"
#include "text.h"
#include "vmargs.h"

#define MAX_LINE (1u << 20)
#define MAX_EVENTS 1000 /* that may come before an answer */

struct ks_qmp {
	int fd, timeout_ms;
	int64_t id; /* of the last command */
	size_t have;
	char buf[MAX_LINE];
};

/* ---- lines ---- */

static int fill(struct ks_qmp *q, int64_t deadline)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };
	int64_t left = deadline - ks_now_ms();
	ssize_t n;

	if (q->have == sizeof(q->buf))
		return -EMSGSIZE;
	n = left > 0 ? poll(&p, 1, (int)left) : 0;
	if (n <= 0)
		return n && errno == EINTR ? 0 : n ? -errno : -ETIMEDOUT;
	n = recv(q->fd, q->buf + q->have, sizeof(q->buf) - q->have, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	q->have += (size_t)n;
	return n ? 0 : -EPIPE;
}

/* The next object; one per line, as QEMU writes them. */
static int next(struct ks_qmp *q, int64_t deadline, struct json_object **o)
{
	char *nl;
	int ret = 0;

	while (!(nl = memchr(q->buf, '\n', q->have)) && !ret)
		ret = fill(q, deadline);
	if (ret)
		return ret;
	*nl = 0;
	*o = json_tokener_parse(q->buf);
	q->have -= (size_t)(nl + 1 - q->buf);
	memmove(q->buf, nl + 1, q->have);
	if (json_object_is_type(*o, json_type_object))
		return 0;
	json_object_put(*o);
	*o = NULL;
	return -EPROTO;
}

static int send_all(int fd, const char *text)
{
	size_t len = strlen(text);

	/* A command fits into a socket's buffer, or something is wrong. */
	return send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ? 0 : -EIO;
}

/* ---- commands ---- */

static const char *error_text(struct json_object *o)
{
	struct json_object *e, *d;

	if (!json_object_object_get_ex(o, "error", &e) || !json_object_object_get_ex(e, "desc", &d))
		return NULL;
	return json_object_get_string(d) ? json_object_get_string(d) : "";
}

/* The answer to a command whose answer nobody waits for any more? (One that has no id is to what was said last.) */
static bool is_late(const struct ks_qmp *q, struct json_object *o)
{
	struct json_object *id;

	return json_object_object_get_ex(o, "id", &id) && json_object_get_int64(id) != q->id;
}

/* 1: it is an event, or something else that is not asked for. */
static int take_answer(const struct ks_qmp *q, struct json_object *o, struct json_object **result,
		       struct ks_err *err)
{
	const char *error = error_text(o);
	struct json_object *r;
	char text[160];

	if (is_late(q, o))
		return 1;
	if (error)
		return ks_fail(err, -EREMOTEIO, "QEMU says: %s",
			       ks_printable(text, sizeof(text), error, strlen(error)));
	if (!json_object_object_get_ex(o, "return", &r))
		return 1;
	if (result)
		*result = json_object_get(r);
	return 0;
}

static int wait_answer(struct ks_qmp *q, struct json_object **result, struct ks_err *err)
{
	int64_t deadline = ks_now_ms() + q->timeout_ms;
	struct json_object *o;
	int i, ret = 1;

	for (i = 0; i < MAX_EVENTS && ret == 1; i++) {
		ret = next(q, deadline, &o);
		if (ret)
			return ks_fail(err, ret, "QMP: %s", strerror(-ret));
		ret = take_answer(q, o, result, err);
		json_object_put(o);
	}
	return ret == 1 ? ks_fail(err, -EPROTO, "QMP: no answer among %d events", i) : ret;
}

int ks_qmp_run(struct ks_qmp *q, const char *command, struct json_object *args,
	       struct json_object **result, struct ks_err *err)
{
	struct json_object *o = json_object_new_object();
	int ret;

	json_object_object_add(o, "execute", json_object_new_string(command));
	json_object_object_add(o, "id", json_object_new_int64(++q->id));
	if (args)
		json_object_object_add(o, "arguments", args);
	ret = send_all(q->fd, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return ret ? ks_fail(err, ret, "QMP: %s", strerror(-ret)) : wait_answer(q, result, err);
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	ret = errno == EAGAIN ? -EBUSY : -errno;
	close(fd);
	return ret;
}

/* The kernel notes who has called listen(): of a socket that the VMM was given by another one, too, it is the VMM. */
static int check_peer(int fd, const char *path, uint32_t tgid, struct ks_err *err)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (!tgid)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return ks_fail(err, -errno, "%.150s: %s", path, strerror(errno));
	if ((uint32_t)peer.pid == tgid)
		return 0;
	return ks_fail(err, -EREMOTE, "%.130s is of another process; say qmp:PATH in the plan",
		       path);
}

static int greet(struct ks_qmp *q, struct ks_err *err)
{
	struct json_object *o, *hello;
	int ret = next(q, ks_now_ms() + q->timeout_ms, &o);

	if (ret)
		return ks_fail(err, ret, "QMP: %s%s", strerror(-ret),
			       ret == -ETIMEDOUT ? "; is somebody else connected?" : "");
	if (!json_object_object_get_ex(o, "QMP", &hello))
		ret = ks_fail(err, -EPROTO, "QMP: something else answers");
	json_object_put(o);
	return ret ? ret : ks_qmp_run(q, "qmp_capabilities", NULL, NULL, err);
}

int ks_qmp_open(struct ks_qmp **out, const char *path, uint32_t tgid, int timeout_ms,
		struct ks_err *err)
{
	struct ks_qmp *q = malloc(sizeof(*q));
	int ret;

	*out = NULL;
	if (!q)
		return ks_fail(err, -ENOMEM, "out of memory");
	q->have = 0;
	q->id = 0;
	q->timeout_ms = timeout_ms;
	q->fd = connect_to(path);
	if (q->fd < 0)
		ret = ks_fail(err, q->fd, "%.150s: %s", path, strerror(-q->fd));
	else
		ret = check_peer(q->fd, path, tgid, err);
	if (!ret)
		ret = greet(q, err);
	if (ret) {
		ks_qmp_close(q);
		return ret;
	}
	*out = q;
	return 0;
}

void ks_qmp_close(struct ks_qmp *q)
{
	if (q && q->fd >= 0)
		close(q->fd);
	free(q);
}

/* ---- where it is ---- */

/* A path in the VMM's own root and folder is none that we can use. */
static int take_path(const char *value, char *path, size_t size)
{
	return value[0] == '/' && snprintf(path, size, "%s", value) < (int)size ? 0 : -ENOENT;
}

static int of_qmp(const char *value, char *path, size_t size)
{
	char item[256];

	if (strncmp(value, "unix:", 5))
		return -ENOENT;
	snprintf(item, sizeof(item), "%.*s", (int)strcspn(value + 5, ","), value + 5);
	return take_path(item, path, size);
}

/* The path of the -chardev with this id. */
static int of_chardev(const char *words, size_t len, const char *id, char *path, size_t size)
{
	const char *w, *end = words + len;
	char item[256];

	for (w = words; w < end; w += strlen(w) + 1) {
		if (strncmp(w, "socket,", 7) || ks_vmargs_item(w, "id", NULL, item, sizeof(item)) ||
		    strcmp(item, id))
			continue;
		if (!ks_vmargs_item(w, "path", NULL, item, sizeof(item)))
			return take_path(item, path, size);
	}
	return -ENOENT;
}

static int of_mon(const char *words, size_t len, const char *value, char *path, size_t size)
{
	char mode[32], id[128];

	if (ks_vmargs_item(value, "mode", NULL, mode, sizeof(mode)) || strcmp(mode, "control") ||
	    ks_vmargs_item(value, "chardev", "chardev", id, sizeof(id)))
		return -ENOENT;
	return of_chardev(words, len, id, path, size);
}

int ks_qmp_path(const char *root, uint32_t tgid, char *path, size_t size)
{
	char *words, *w, *value;
	int ret = -ENOENT;
	size_t len;

	if (ks_read_at(root, 4u << 20, &words, &len, "/proc/%u/cmdline", tgid))
		return -ENOENT;
	for (w = words; w < words + len && ret; w = value) {
		value = w + strlen(w) + 1;
		if (value >= words + len)
			break;
		if (!strcmp(w, "-qmp") || !strcmp(w, "--qmp"))
			ret = of_qmp(value, path, size);
		else if (!strcmp(w, "-mon") || !strcmp(w, "--mon"))
			ret = of_mon(words, len, value, path, size);
	}
	free(words);
	return ret;
}
