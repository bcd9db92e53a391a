// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../trace/format.h"
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

bool ks_outfile_is_still(int fd, const char *path)
{
	struct stat own, there;

	return !fstat(fd, &own) && !stat(path, &there) && own.st_dev == there.st_dev &&
	       own.st_ino == there.st_ino;
}

/* Recorders give what is not whole the same name; that cannot be made again. */
static bool is_recording(int fd)
{
	char magic[sizeof(KS_FILE_MAGIC) - 1];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, KS_FILE_MAGIC, sizeof(magic));
}

/* Empty, and locked until it is closed: nobody else writes it. The descriptor, or -errno. */
static int open_alone(const char *path)
{
	int fd, ret = 0;

	do {
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
			ret = -EBUSY;
		else if (!ks_outfile_is_still(fd, path))
			ret = -EAGAIN;
		else if (is_recording(fd))
			ret = -EEXIST;
		else
			ret = ftruncate(fd, 0) ? -errno : fd;
		if (ret < 0)
			close(fd);
	} while (ret == -EAGAIN);
	return ret;
}

static int open_partial(struct ks_outfile *o)
{
	int fd, ret;

	if (asprintf(&o->partial, "%s.partial", o->path) < 0) {
		o->partial = NULL;
		return -ENOMEM;
	}
	fd = open_alone(o->partial);
	if (fd < 0) {
		ret = fd;
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

static bool is_recording_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && is_recording(fd);

	if (fd >= 0)
		close(fd);
	return is;
}

/* To give a name to a file must not replace a device, a pipe, or what cannot be made again. */
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
	if (!o->pipe && is_recording_at(o->path))
		return -ENOTEMPTY;
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

/* PATH or PATH.partial is there already. */
static int fail_open(const struct ks_outfile *o, int ret, struct ks_err *err)
{
	if (ret == -ENOTEMPTY)
		return ks_fail(err, ret, "%.150s: is a recording: write to another file", o->path);
	if (ret == -EBUSY)
		return ks_fail(err, ret, "%.150s.partial: is being written: give another name",
			       o->path);
	if (ret == -EEXIST)
		return ks_fail(err, ret,
			       "%.150s.partial: left by a recording that did not end, and "
			       "readable: move or remove it, or give another name",
			       o->path);
	return ks_outfile_fail(o, ret, err);
}

int ks_outfile_open(struct ks_outfile *o, const char *path, struct ks_err *err)
{
	int ret;

	*o = (struct ks_outfile){ .path = strdup(path) };
	ret = o->path ? look_at(o) : -ENOMEM;
	if (!ret)
		ret = o->pipe ? open_stream(o) : open_partial(o);
	if (ret) {
		fail_open(o, ret, err);
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

	if (!ret && !o->pipe && rename(o->partial, o->path))
		ret = ks_outfile_fail(o, -errno, err);
	if (ret) {
		ks_outfile_discard(o);
		return ret;
	}
	if (o->f != stdout && fclose(o->f))
		ret = ks_outfile_fail(o, -errno, err); /* a pipe's last bytes */
	forget(o);
	return ret;
}

void ks_outfile_discard(struct ks_outfile *o)
{
	if (o->partial) /* while it is locked */
		unlink(o->partial);
	if (o->f && o->f != stdout)
		fclose(o->f);
	forget(o);
}
