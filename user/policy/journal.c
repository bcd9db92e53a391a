// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "err.h"
#include "filelock.h"
#include "journal.h"
#include "text.h"
#include "undo_file.h"

#define MAX_JOURNAL (64u << 20)
#define COMPACT_FROM (1 << 20) /* bytes */

struct ks_journal {
	int fd;	  /* of the journal; appended to */
	int lock; /* locked while we are there */
	char *path;
	off_t compact_at; /* from this size on */
	const char *root; /* where files of cgroups are put back, see text.h */
};

static int open_at(const char *dir, const char *name, int flags, char **path)
{
	int fd = -1;

	if (asprintf(path, "%s/%s", dir, name) < 0) {
		*path = NULL;
		errno = ENOMEM;
	} else {
		fd = open(*path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	return fd >= 0 ? fd : -errno;
}

static int take_lock(struct ks_journal *j, const char *dir, struct ks_err *err)
{
	char *path;

	j->lock = open_at(dir, "lock", O_RDWR | O_CREAT, &path);
	free(path);
	if (j->lock < 0)
		return ks_fail(err, j->lock, "%.150s/lock: %s", dir, strerror(-j->lock));
	if (!ks_filelock_take(j->lock))
		return ks_fail(
			err, -EBUSY,
			"a policy is attached (process %d): end it with `vcpu-policy detach`",
			ks_filelock_holder(j->lock));
	return 0;
}

/*
 * Who was killed within append() has left a part of a line, which would spoil the next one. It is of no use even if
 * only the newline lacks: what it tells of has not been changed, for append() had not returned. To cut takes no room.
 */
static int cut_torn(struct ks_journal *j)
{
	off_t end = lseek(j->fd, 0, SEEK_END), whole = end;
	char c;

	while (whole > 0 && pread(j->fd, &c, 1, whole - 1) == 1 && c != '\n')
		whole--;
	return whole < end && ftruncate(j->fd, whole) ? -errno : 0;
}

static int open_journal(struct ks_journal *j, const char *dir, struct ks_err *err)
{
	int ret;

	j->fd = open_at(dir, "journal", O_RDWR | O_CREAT | O_APPEND, &j->path);
	ret = j->fd < 0 ? j->fd : cut_torn(j);
	return ret ? ks_fail(err, ret, "%.150s/journal: %s", dir, strerror(-ret)) : 0;
}

int ks_journal_open(struct ks_journal **out, const char *dir, struct ks_err *err)
{
	struct ks_journal *j = calloc(1, sizeof(*j));
	int ret;

	*out = NULL;
	if (!j)
		return ks_fail(err, -ENOMEM, "out of memory");
	j->fd = j->lock = -1;
	j->compact_at = COMPACT_FROM;
	if (mkdir(dir, 0755) && errno != EEXIST)
		ret = ks_fail(err, -errno, "%.150s: %s", dir, strerror(errno));
	else
		ret = take_lock(j, dir, err);
	if (!ret)
		ret = open_journal(j, dir, err);
	if (ret) {
		ks_journal_close(j);
		return ret;
	}
	*out = j;
	return 0;
}

void ks_journal_close(struct ks_journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock >= 0)
		close(j->lock);
	free(j->path);
	free(j);
}

void ks_journal_root(struct ks_journal *j, const char *root)
{
	j->root = root;
}

int ks_journal_holder(const char *dir)
{
	char *path;
	int fd = open_at(dir, "lock", O_RDONLY, &path), pid;

	free(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	pid = ks_filelock_holder(fd);
	close(fd);
	return pid;
}

bool ks_journal_is_used(const char *dir)
{
	struct stat st;
	char *path;
	int fd = open_at(dir, "journal", O_RDONLY, &path);
	bool used = fd >= 0 && !fstat(fd, &st) && st.st_size;

	free(path);
	if (fd >= 0)
		close(fd);
	return used;
}

static uint64_t get(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_uint64(v) : 0;
}

/* Of each file of a cgroup where in the text the entry begins that counts: the newest. */
static struct json_object *find_newest(char *text)
{
	struct json_object *newest = json_object_new_object(), *o;
	char *line, *rest = text, key[KS_ENTRY_KEY];

	while (newest && (line = strsep(&rest, "\n")) && rest) {
		o = json_tokener_parse(line);
		if (ks_entry_judges(o, key))
			json_object_object_add(newest, key, json_object_new_int64(line - text));
		json_object_put(o);
		rest[-1] = '\n';
	}
	return newest;
}

static bool is_superseded(struct json_object *o, struct json_object *newest, int64_t at)
{
	struct json_object *v;
	char key[KS_ENTRY_KEY];

	return ks_entry_judges(o, key) && json_object_object_get_ex(newest, key, &v) &&
	       json_object_get_int64(v) != at;
}

/* Of a thread, a process or a cgroup that is gone, or told of anew since: there is nothing to undo. */
static bool is_moot(const struct ks_journal *j, const char *line, struct json_object *newest,
		    int64_t at)
{
	struct json_object *o = json_tokener_parse(line);
	const char *in = ks_entry_text(o, "in");
	uint64_t tid = get(o, "thread") ?: get(o, "vm") ?: get(o, "nice_of");
	bool moot = false;

	if (tid)
		moot = ks_thread_has_ended(NULL, (uint32_t)tid, get(o, "start"));
	else if (in)
		moot = is_superseded(o, newest, at) || !ks_exists(j->root, KS_CGROUPFS "%s", in);
	json_object_put(o);
	return moot;
}

static int copy_lines(const struct ks_journal *j, char *text, int fd)
{
	struct json_object *newest = find_newest(text);
	char *line, *rest = text;
	int ret = newest ? 0 : -ENOMEM;
	size_t len;

	while (!ret && (line = strsep(&rest, "\n")) && rest) {
		if (is_moot(j, line, newest, line - text))
			continue;
		len = strlen(line);
		line[len] = '\n'; /* where strsep() has cut it */
		if (write(fd, line, len + 1) != (ssize_t)len + 1)
			ret = errno ? -errno : -EIO;
	}
	json_object_put(newest);
	return ret;
}

/*
 * A policy may be attached for months, and VMs come and go. The old journal stands until the new one has its name; if
 * that fails it goes on, and is tried when it is twice as long.
 */
static void compact(struct ks_journal *j)
{
	char *text = NULL, *path = NULL;
	int ret = ks_read_file(j->path, MAX_JOURNAL, &text, NULL), fd = -1;

	if (!ret && asprintf(&path, "%s.new", j->path) > 0)
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	if (fd >= 0 && !copy_lines(j, text, fd) && !rename(path, j->path)) {
		close(j->fd);
		j->fd = fd;
	} else if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	free(path);
	free(text);
	j->compact_at = 2 * lseek(j->fd, 0, SEEK_END);
	if (j->compact_at < COMPACT_FROM)
		j->compact_at = COMPACT_FROM;
}

/* Takes over o. A whole line or none: what is not there cannot be undone. */
static int append(struct ks_journal *j, struct json_object *o)
{
	const char *text;
	off_t end = lseek(j->fd, 0, SEEK_END);
	char *line = NULL;
	int n, ret = 0;

	text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : NULL;
	n = text ? asprintf(&line, "%s\n", text) : -1;
	json_object_put(o);
	if (n < 0)
		return -ENOMEM;
	if (write(j->fd, line, n) != n) {
		ret = errno ? -errno : -EIO;
		if (ftruncate(j->fd, end))
			ret = -EIO;
	}
	free(line);
	if (!ret && end + n >= j->compact_at)
		compact(j);
	return ret;
}

static void put(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

int ks_journal_begin(struct ks_journal *j, const char *policy)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return -ENOMEM;
	json_object_object_add(o, "policy", json_object_new_string(policy));
	put(o, "pid", getpid());
	return append(j, o);
}

int ks_journal_vm(struct ks_journal *j, uint32_t tgid)
{
	struct json_object *o = json_object_new_object();
	struct ks_thread t;
	int ret = o ? ks_thread_read(tgid, &t) : -ENOMEM;

	if (ret) {
		json_object_put(o);
		return ret;
	}
	put(o, "vm", tgid);
	put(o, "start", t.start);
	return append(j, o);
}

int ks_journal_thread(struct ks_journal *j, const struct ks_thread *t)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return -ENOMEM;
	put(o, "thread", t->tid);
	put(o, "start", t->start);
	put(o, "sched", t->policy);
	put(o, "priority", t->priority);
	json_object_object_add(o, "nice", json_object_new_int(t->nice));
	put(o, "flags", t->flags);
	put(o, "slice", t->slice_ns);
	return append(j, o);
}

int ks_journal_nice(struct ks_journal *j, const struct ks_thread *t, int other)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return -ENOMEM;
	put(o, "nice_of", t->tid);
	put(o, "start", t->start);
	json_object_object_add(o, "nice", json_object_new_int(t->nice));
	json_object_object_add(o, "other", json_object_new_int(other));
	return append(j, o);
}

static struct json_object *file_entry(const char *path, const char *file, const char *back)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "in", json_object_new_string(path));
	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "back", json_object_new_string(back));
	return o;
}

int ks_journal_file(struct ks_journal *j, const char *path, const char *file, const char *back)
{
	struct json_object *o = file_entry(path, file, back);

	if (!o)
		return -ENOMEM;
	json_object_object_add(o, "alone", json_object_new_boolean(true));
	return append(j, o);
}

int ks_journal_files(struct ks_journal *j, const char *file,
		     void (*tell)(void *ctx, const char *path, const char *back), void *ctx)
{
	const char *in, *name, *back;
	struct json_object *o;
	char *text, *rest, *line;
	int ret = ks_read_file(j->path, MAX_JOURNAL, &text, NULL);

	if (ret)
		return ret;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		o = json_tokener_parse(line);
		in = ks_entry_text(o, "in");
		name = ks_entry_text(o, "file");
		back = ks_entry_text(o, "back");
		if (in && name && back && !strcmp(name, file))
			tell(ctx, in, back);
		json_object_put(o);
	}
	free(text);
	return 0;
}

int ks_journal_weight(struct ks_journal *j, const char *path, uint32_t back, const uint32_t *ours,
		      unsigned int nours)
{
	struct json_object *o, *all = json_object_new_array();
	char text[16];
	unsigned int i;

	snprintf(text, sizeof(text), "%u", back);
	o = file_entry(path, "cpu.weight", text);
	if (!o || !all) {
		json_object_put(o);
		json_object_put(all);
		return -ENOMEM;
	}
	for (i = 0; i < nours; i++)
		json_object_array_add(all, json_object_new_uint64(ours[i]));
	json_object_object_add(o, "ours", all);
	return append(j, o);
}

int ks_journal_path(struct ks_journal *j, const char *path, const char *back)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return -ENOMEM;
	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "back", json_object_new_string(back));
	return append(j, o);
}

/* Of a VM's threads those are left that were never put into the class: the journal goes backwards. */
static int undo_vm(struct json_object *o)
{
	uint32_t tgid = get(o, "vm");
	struct ks_thread t;

	if (ks_thread_read(tgid, &t) || t.start != get(o, "start"))
		return 0;
	return ks_thread_sweep(tgid, KS_SCHED_EXT, NULL, NULL);
}

static int undo_thread(struct json_object *o, uint32_t from)
{
	struct json_object *nice;
	struct ks_thread t;

	t = (struct ks_thread){ .tid = get(o, "thread"),
				.start = get(o, "start"),
				.policy = get(o, "sched"),
				.priority = get(o, "priority"),
				.flags = get(o, "flags"),
				.slice_ns = get(o, "slice") };
	if (json_object_object_get_ex(o, "nice", &nice))
		t.nice = json_object_get_int(nice);
	return ks_thread_restore(&t, from);
}

static int number_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int(v) : 0;
}

/* One that its owner has given another value meanwhile is left alone. */
static int undo_nice(struct json_object *o)
{
	int was = number_of(o, "nice"), other = number_of(o, "other");
	uint32_t tid = get(o, "nice_of");
	struct ks_thread t;

	if (ks_thread_read(tid, &t) || t.start != get(o, "start") || t.nice != other ||
	    was == other)
		return 0;
	return setpriority(PRIO_PROCESS, tid, was) ? (errno == ESRCH ? 0 : -errno) : 1;
}

static int undo_path(struct json_object *o)
{
	const char *path = ks_entry_text(o, "path"), *back = ks_entry_text(o, "back");
	int fd = path && back ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	bool done = fd >= 0 && write(fd, back, strlen(back)) >= 0;

	if (fd >= 0)
		close(fd);
	return done;
}

/* One line; those that are no changes, or not whole, do not count. */
static void undo_line(const char *line, struct ks_undo_files *f, struct ks_undone *u)
{
	struct json_object *o = json_tokener_parse(line);
	int ret;

	if (get(o, "thread"))
		ret = undo_thread(o, KS_SCHED_EXT);
	else if (get(o, "vm"))
		ret = undo_vm(o);
	else if (get(o, "nice_of"))
		ret = undo_nice(o);
	else if (json_object_object_get(o, "file"))
		ret = ks_undo_file(f, o, u);
	else if (json_object_object_get(o, "path"))
		ret = undo_path(o);
	else
		ret = -ENOENT;
	json_object_put(o);
	if (ret == -ENOENT)
		return;
	u->entries++;
	u->undone += ret > 0;
	u->failed += ret < 0;
}

/* The last whole line of text[0..*len), which ends before it then. NULL if there is none. */
static char *pop_line(char *text, size_t *len)
{
	char *nl = *len ? memrchr(text, '\n', *len) : NULL, *line;

	if (!nl)
		return NULL;
	*nl = 0;
	line = memrchr(text, '\n', nl - text);
	*len = line ? (size_t)(line + 1 - text) : 0;
	return text + *len;
}

int ks_journal_undo(struct ks_journal *j, struct ks_undone *u)
{
	struct ks_undo_files f = { .root = j->root, .judged = json_object_new_object() };
	char *text, *line;
	size_t len;
	int ret = f.judged ? ks_read_file(j->path, MAX_JOURNAL, &text, &len) : -ENOMEM;

	memset(u, 0, sizeof(*u));
	if (ret) {
		json_object_put(f.judged);
		return ret;
	}
	while ((line = pop_line(text, &len)))
		undo_line(line, &f, u);
	json_object_put(f.judged);
	free(text);
	if (u->failed)
		return -EIO;
	return ftruncate(j->fd, 0) ? -errno : 0;
}

static int undo_thread_of(const char *line, uint32_t tgid, uint32_t from)
{
	struct json_object *o = json_tokener_parse(line);
	uint32_t tid = get(o, "thread");
	struct ks_thread now;
	int ret = 0;

	if (tid && !ks_thread_read_of(tgid, tid, &now))
		ret = undo_thread(o, from);
	json_object_put(o);
	return ret;
}

int ks_journal_undo_threads(struct ks_journal *j, uint32_t tgid, uint32_t from)
{
	char *text, *line;
	size_t len;
	int ret = ks_read_file(j->path, MAX_JOURNAL, &text, &len), n = 0, error = 0;

	if (ret)
		return ret;
	while ((line = pop_line(text, &len))) {
		ret = undo_thread_of(line, tgid, from);
		n += ret > 0;
		error = ret < 0 ? ret : error;
	}
	free(text);
	return error ? error : n;
}
