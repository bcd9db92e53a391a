// SPDX-License-Identifier: GPL-2.0
/* Rows as CSV: a folder with a table for each kind of row. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "rows_buf.h"
#include "rows_priv.h"

#define NUMBER 32u

struct csv {
	struct rows rows;
	const struct ks_outfile *dir; /* for its path */
	char *folder;		      /* where the tables are while they are written */
	int fd;			      /* of that folder, locked until it is closed; -1: none */
	bool fresh;		      /* it is ours, to be named or removed */
	struct ks_outfile file[ROW_KINDS];
	struct rows_buf buf[ROW_KINDS];
};

/* ---- values ---- */

static void put_parts(struct rows_buf *b, enum rows_type t, const uint64_t *v)
{
	unsigned int i;

	for (i = 0; rows_part(t, i); i++) {
		rows_room(b, NUMBER);
		if (i)
			rows_char(b, ',');
		if (v)
			rows_u64(b, v[i]);
	}
}

static void put_string(struct rows_buf *b, const char *s)
{
	if (s)
		rows_csv_string(b, s);
}

/* With room for a number made. */
static void put_value(struct rows_buf *b, const struct rows_col *c, const void *row)
{
	const void *p = (const char *)row + c->off;

	switch (c->type & ~RC_NULL) {
	case RC_STR:
		put_string(b, *(const char *const *)p);
		break;
	case RC_U64:
	case RC_DEC:
		rows_u64(b, *(const uint64_t *)p);
		break;
	case RC_U32:
		rows_u64(b, *(const uint32_t *)p);
		break;
	case RC_INT:
		rows_s64(b, *(const int32_t *)p);
		break;
	case RC_SDEC:
		rows_s64(b, *(const int64_t *)p);
		break;
	case RC_BOOL:
		rows_text(b, *(const bool *)p ? "true" : "false", *(const bool *)p ? 4 : 5);
		break;
	case RC_ADDR:
		rows_hex(b, *(const uint64_t *)p);
		break;
	default:
		put_parts(b, c->type, p);
	}
}

static bool is_parts(const struct rows_col *c)
{
	return c->type >= RC_WAIT_CLASSES && c->type <= RC_STATES;
}

/*
 * Columns from `i` on, up to the end of the group or of the row. Nothing stands in the columns of
 * members that this row has not, or that are null.
 */
static unsigned int put_columns(struct rows_buf *b, const struct rows_kind *kind, unsigned int i,
				const void *row, uint64_t of, bool *first)
{
	const struct rows_col *c;
	const void *has;

	for (; i < kind->n && kind->col[i].type != RC_END; i++) {
		c = &kind->col[i];
		has = row && (c->of & of) && !rows_is_null(c, row) ? row : NULL;
		if (c->type == RC_LIST)
			continue;
		if ((c->type & ~RC_NULL) == RC_GROUP) {
			i = put_columns(b, kind, i + 1, has, of, first);
			continue;
		}
		rows_room(b, 2 * NUMBER);
		if (!*first)
			rows_char(b, ',');
		*first = false;
		if (has)
			put_value(b, c, has);
		else if (is_parts(c))
			put_parts(b, c->type, NULL);
	}
	return i;
}

static void csv_emit(struct rows *r, enum rows_kind_id k, const void *row, uint64_t of)
{
	struct csv *c = (struct csv *)r;
	bool first = true;

	put_columns(&c->buf[k], &rows_kinds[k], 0, row, of, &first);
	rows_room(&c->buf[k], 1);
	rows_char(&c->buf[k], '\n');
}

/* ---- the line of names ---- */

static void put_name(struct rows_buf *b, const char *prefix, const char *name, const char *part,
		     bool *first)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "%s%s%s%s%s", *first ? "" : ",", prefix, name,
			   *part ? "_" : "", part);

	rows_room(b, sizeof(text));
	rows_text(b, text, len);
	*first = false;
}

static unsigned int put_names(struct rows_buf *b, const struct rows_kind *kind, unsigned int i,
			      const char *prefix, bool *first)
{
	const struct rows_col *c;
	char inner[64];
	unsigned int k;

	for (; i < kind->n && kind->col[i].type != RC_END; i++) {
		c = &kind->col[i];
		if (c->type == RC_LIST)
			continue;
		if ((c->type & ~RC_NULL) == RC_GROUP) {
			snprintf(inner, sizeof(inner), "%s%s_", prefix, c->name);
			i = put_names(b, kind, i + 1, inner, first);
			continue;
		}
		if (!is_parts(c))
			put_name(b, prefix, c->name, "", first);
		for (k = 0; is_parts(c) && rows_part(c->type, k); k++)
			put_name(b, prefix, c->name, rows_part(c->type, k), first);
	}
	return i;
}

/* ---- the folder ---- */

/* Those that are whole, and what a killed export left of others. Only while the folder is locked. */
static void remove_tables(const struct csv *c)
{
	char path[64];
	unsigned int k;

	for (k = 0; k < ROW_KINDS; k++) {
		snprintf(path, sizeof(path), "%s.csv", rows_kinds[k].table);
		unlinkat(c->fd, path, 0);
		snprintf(path, sizeof(path), "%s.csv.partial", rows_kinds[k].table);
		unlinkat(c->fd, path, 0);
	}
}

/* -EAGAIN: who had it has just given it its name, or removed it. -EEXIST: something else has it. */
static int lock_folder(struct csv *c, bool fresh)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, ret = 0;

	c->fd = open(c->folder, fresh ? flags | O_NOFOLLOW : flags);
	if (c->fd < 0 && errno == ENOENT)
		return -EAGAIN;
	if (c->fd < 0)
		return errno == ENOTDIR ? -EEXIST : -errno;
	if (flock(c->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		ret = -EBUSY;
	else if (!ks_outfile_is_still(c->fd, c->folder))
		ret = -EAGAIN;
	if (!ret)
		return 0;
	close(c->fd);
	c->fd = -1;
	return ret;
}

static int take_folder(struct csv *c)
{
	const char *path = c->dir->path;
	size_t len = strlen(path);
	struct stat st;
	bool fresh;
	int ret;

	while (len > 1 && path[len - 1] == '/')
		len--;
	fresh = stat(path, &st) != 0;
	if (!fresh && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	free(c->folder);
	if (asprintf(&c->folder, "%.*s%s", (int)len, path, fresh ? ".partial" : "") < 0) {
		c->folder = NULL;
		return -ENOMEM;
	}
	if (fresh && mkdir(c->folder, 0700) && errno != EEXIST)
		return -errno;
	ret = lock_folder(c, fresh);
	c->fresh = !ret && fresh;
	return ret;
}

/*
 * A new folder gets its name when all of it is there; in one that exists each table replaces its
 * older one, and only when all of them are whole.
 */
static int make_folder(struct csv *c)
{
	int ret;

	if (!strcmp(c->dir->path, "-"))
		return -ENOTDIR;
	do
		ret = take_folder(c);
	while (ret == -EAGAIN);
	if (c->fresh)
		remove_tables(c); /* the folder that an interrupted run left is used again */
	return ret;
}

static int fail_folder(const struct csv *c, int ret, struct ks_err *err)
{
	if (ret == -ENOTDIR)
		return ks_fail(err, ret, "%.150s: --csv writes a folder of tables: name one",
			       c->dir->path);
	if (ret == -EEXIST)
		return ks_fail(err, ret, "%.150s: is no folder: remove it, or give another name",
			       c->folder);
	if (ret == -EBUSY)
		return ks_fail(err, ret, "%.150s: is being written: give another name", c->folder);
	return ks_outfile_fail(c->dir, ret, err);
}

static int open_table(struct csv *c, enum rows_kind_id k, struct ks_err *err)
{
	const struct rows_kind *kind = &rows_kinds[k];
	bool first = true;
	char *path;
	int ret;

	if (!rows_wanted(&c->rows, k))
		return 0;
	if (asprintf(&path, "%s/%s.csv", c->folder, kind->table) < 0)
		return ks_fail(err, -ENOMEM, "out of memory");
	ret = ks_outfile_open(&c->file[k], path, err);
	free(path);
	if (ret)
		return ret;
	if (rows_buf_init(&c->buf[k], &c->file[k]))
		return ks_fail(err, -ENOMEM, "out of memory");
	put_names(&c->buf[k], kind, 0, "", &first);
	rows_char(&c->buf[k], '\n');
	return 0;
}

static int csv_open(void **self, struct ks_outfile *out, struct ks_err *err)
{
	struct csv *c = calloc(1, sizeof(*c));
	int ret;

	*self = c;
	if (!c)
		return ks_fail(err, -ENOMEM, "out of memory");
	c->dir = out;
	c->fd = -1;
	c->rows.emit = csv_emit;
	ret = make_folder(c);
	return ret ? fail_folder(c, ret, err) : 0;
}

static int csv_configure(void *self, const struct ks_export_opts *opts, struct ks_err *err)
{
	struct csv *c = self;
	int ret = rows_configure(self, opts, err);
	unsigned int k;

	for (k = 0; !ret && k < ROW_KINDS; k++)
		ret = open_table(c, k, err);
	return ret;
}

static int csv_begin(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct csv *c = self;
	int ret = rows_begin(self, in, err);

	if (ret)
		return ret;
	rows_files(&c->rows);
	rows_machines(&c->rows);
	rows_vcpus(&c->rows);
	return 0;
}

static int csv_failed(const void *self)
{
	const struct csv *c = self;
	unsigned int k;

	for (k = 0; k < ROW_KINDS; k++)
		if (c->file[k].err)
			return c->file[k].err;
	return 0;
}

static int name_folder(struct csv *c, struct ks_err *err)
{
	char *path;
	int ret = 0;

	fsync(c->fd); /* the folder is durable with its names */
	if (!c->fresh)
		return 0;
	path = strndup(c->folder, strlen(c->folder) - strlen(".partial"));
	if (!path)
		return ks_fail(err, -ENOMEM, "out of memory");
	if (rename(c->folder, path))
		ret = ks_outfile_fail(c->dir, -errno, err);
	free(path);
	c->fresh = ret;
	return ret;
}

static int csv_finish(void *self, const struct ks_export_input *in, struct ks_err *err)
{
	struct csv *c = self;
	unsigned int k;
	int ret = 0;

	(void)in;
	rows_tail(&c->rows);
	for (k = 0; !ret && k < ROW_KINDS; k++) {
		if (!c->buf[k].p)
			continue;
		rows_buf_flush(&c->buf[k]);
		ret = ks_outfile_sync(&c->file[k], err);
	}
	return ret;
}

static int csv_commit(void *self, struct ks_err *err)
{
	struct csv *c = self;
	unsigned int k;
	int ret = 0;

	for (k = 0; !ret && k < ROW_KINDS; k++)
		if (c->buf[k].p)
			ret = ks_outfile_commit(&c->file[k], err);
	return ret ? ret : name_folder(c, err);
}

static void csv_close(void *self)
{
	struct csv *c = self;
	unsigned int k;

	for (k = 0; k < ROW_KINDS; k++) {
		rows_buf_free(&c->buf[k]);
		ks_outfile_discard(&c->file[k]);
	}
	if (c->fresh) { /* it has not got its name */
		remove_tables(c);
		rmdir(c->folder);
	}
	if (c->fd >= 0)
		close(c->fd);
	rows_free(&c->rows);
	free(c->folder);
	free(c);
}

const struct ks_exporter ks_export_csv = {
	.name = "csv",
	.help = "rows as CSV tables: DIR/waits.csv, DIR/records.csv, ...",
	.guest_alone = true,
	.folder = true,
	.open = csv_open,
	.configure = csv_configure,
	.ops = rows_ops,
	.begin = csv_begin,
	.failed = csv_failed,
	.finish = csv_finish,
	.commit = csv_commit,
	.close = csv_close,
};
