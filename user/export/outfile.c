// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "outfile.h"

#define BUFFER (1u << 20)

static void forget(struct ks_outfile *o)
{
	free(o->path);
	free(o->partial);
	memset(o, 0, sizeof(*o));
}

int ks_outfile_fail(const struct ks_outfile *o, int ret, struct ks_err *err)
{
	bool out = !o->path || !strcmp(o->path, "-");

	if (ret == -EPIPE)
		return ks_fail(err, ret, "%.150s: its reader has gone: ended early",
			       out ? "standard output" : o->path);
	return ks_fail(err, ret, "%.150s: %s", out ? "standard output" : o->path, strerror(-ret));
}

static int open_partial(struct ks_outfile *o)
{
	int fd, ret;

	if (asprintf(&o->partial, "%s.partial", o->path) < 0) {
		o->partial = NULL;
		return -ENOMEM;
	}
	fd = open(o->partial, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		ret = -errno;
		free(o->partial);
		o->partial = NULL;
		return ret;
	}
	o->f = fdopen(fd, "w+");
	if (o->f)
		return 0;
	close(fd);
	return -ENOMEM;
}

/* To give a name to a file must not replace a device or a pipe. */
static int look_at(struct ks_outfile *o)
{
	struct stat st;
	char *real;

	o->pipe = !strcmp(o->path, "-");
	if (o->pipe || stat(o->path, &st))
		return 0;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	o->pipe = !S_ISREG(st.st_mode);
	real = o->pipe ? NULL : realpath(o->path, NULL);
	if (real) {
		free(o->path);
		o->path = real;
	}
	return 0;
}

static int open_stream(struct ks_outfile *o)
{
	o->f = strcmp(o->path, "-") ? fopen(o->path, "we") : stdout;
	return o->f ? 0 : -errno;
}

int ks_outfile_open(struct ks_outfile *o, const char *path, struct ks_err *err)
{
	int ret;

	*o = (struct ks_outfile){ .path = strdup(path) };
	ret = o->path ? look_at(o) : -ENOMEM;
	if (!ret)
		ret = o->pipe ? open_stream(o) : open_partial(o);
	if (ret) {
		ks_outfile_fail(o, ret, err);
		ks_outfile_discard(o);
		return ret;
	}
	setvbuf(o->f, NULL, _IOFBF, BUFFER);
	return 0;
}

void ks_outfile_write(struct ks_outfile *o, const void *data, size_t len)
{
	if (o->err)
		return;
	errno = 0;
	if (fwrite(data, 1, len, o->f) != len)
		o->err = errno ? -errno : -EIO;
}

int ks_outfile_sync(struct ks_outfile *o, struct ks_err *err)
{
	int ret = o->err;

	errno = 0;
	if (!ret && (fflush(o->f) || ferror(o->f)))
		ret = errno ? -errno : -EIO;
	if (!ret && !o->pipe && fsync(fileno(o->f)))
		ret = -errno;
	return ret ? ks_outfile_fail(o, ret, err) : 0;
}

int ks_outfile_commit(struct ks_outfile *o, struct ks_err *err)
{
	int ret = ks_outfile_sync(o, err);

	if (!ret && o->f != stdout) {
		if (fclose(o->f))
			ret = ks_outfile_fail(o, -errno, err);
		o->f = NULL;
	}
	if (!ret && !o->pipe && rename(o->partial, o->path))
		ret = ks_outfile_fail(o, -errno, err);
	if (ret) {
		ks_outfile_discard(o);
		return ret;
	}
	forget(o);
	return 0;
}

void ks_outfile_discard(struct ks_outfile *o)
{
	if (o->f && o->f != stdout)
		fclose(o->f);
	if (o->partial)
		unlink(o->partial);
	forget(o);
}
