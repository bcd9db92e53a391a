// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "sink.h"

static void sink_free(struct ks_sink *s)
{
	free(s->path);
	free(s->partial);
	s->path = NULL;
	s->partial = NULL;
}

/* The final name must be free or a regular file: others cannot be replaced by a rename. */
static int check_target(const char *path, struct ks_err *err)
{
	struct stat st;

	if (!*path)
		return ks_fail(err, -EINVAL, "no name given for the trace");
	if (stat(path, &st))
		return 0;
	if (S_ISDIR(st.st_mode))
		return ks_fail(err, -EISDIR, "%s: is a directory: give a file name in it", path);
	if (!S_ISREG(st.st_mode))
		return ks_fail(err, -EINVAL, "%s: not a regular file: give another name", path);
	return 0;
}

/* PATH.partial is there already: somebody writes it, or it is all that is left of a recording. */
static int explain_partial(const struct ks_sink *s, struct ks_err *err)
{
	int fd = open(s->partial, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool busy = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	if (busy)
		return ks_fail(err, -EBUSY,
			       "%s: another recording is writing it: give another name",
			       s->partial);
	return ks_fail(err, -EEXIST,
		       "%s: left by a recording that did not end, and readable: move or remove it",
		       s->partial);
}

static int create_partial(struct ks_sink *s, struct ks_err *err)
{
	/* A trace holds kernel addresses: its owner's eyes only, as perf.data. */
	s->fd = open(s->partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0 && errno == EEXIST)
		return explain_partial(s, err);
	if (s->fd < 0)
		return ks_fail(err, -errno, "%s: cannot create: %s", s->partial, strerror(errno));
	flock(s->fd, LOCK_EX | LOCK_NB);
	return 0;
}

int ks_sink_open(struct ks_sink *s, const char *path, struct ks_err *err)
{
	int ret;

	*s = (struct ks_sink){ .fd = -1 };
	ret = check_target(path, err);
	if (ret)
		return ret;
	s->path = strdup(path);
	if (!s->path || asprintf(&s->partial, "%s.partial", path) < 0) {
		s->partial = NULL;
		sink_free(s);
		return ks_fail(err, -ENOMEM, "out of memory");
	}
	ret = create_partial(s, err);
	if (ret)
		sink_free(s);
	return ret;
}

int ks_sink_open_fd(struct ks_sink *s, int fd, struct ks_err *err)
{
	struct stat st;

	*s = (struct ks_sink){ .fd = fd, .stream = true };
	if (fstat(fd, &st)) {
		int ret = ks_fail(err, -errno, "cannot write the trace to descriptor %d: %s", fd,
				  strerror(errno));

		close(fd);
		return ret;
	}
	s->socket = S_ISSOCK(st.st_mode);
	return 0;
}

/* A pipe knows no MSG_NOSIGNAL: hold SIGPIPE back for the write and swallow what it raised. */
static ssize_t writev_quiet(int fd, const struct iovec *iov, int n)
{
	const struct timespec now = { 0 };
	sigset_t pipe_set, old, pending;
	ssize_t ret;
	int saved;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	ret = writev(fd, iov, n);
	saved = errno;
	if (ret < 0 && saved == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_set, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return ret;
}

static ssize_t sink_put(const struct ks_sink *s, struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };

	if (s->socket)
		return sendmsg(s->fd, &msg, MSG_NOSIGNAL);
	if (s->stream)
		return writev_quiet(s->fd, iov, n);
	return writev(s->fd, iov, n);
}

/* EAGAIN of a descriptor that may block is its own time limit (SO_SNDTIMEO); else wait for room. */
static int wait_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (!(fcntl(fd, F_GETFL) & O_NONBLOCK))
		return -ETIMEDOUT;
	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static void skip_written(struct iovec **iov, int *n, size_t done)
{
	while (*n && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

static int sink_put_all(const struct ks_sink *s, struct iovec *iov, int n, uint64_t *total)
{
	skip_written(&iov, &n, 0);
	while (n) {
		ssize_t ret = sink_put(s, iov, n);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0 && errno == EAGAIN) {
			ret = wait_room(s->fd);
			if (ret)
				return (int)ret;
			continue;
		}
		if (ret <= 0)
			return ret ? -errno : -EIO;
		*total += (uint64_t)ret;
		skip_written(&iov, &n, (size_t)ret);
	}
	return 0;
}

int ks_sink_write(struct ks_sink *s, struct iovec *iov, int n)
{
	uint64_t total = 0;
	int ret = sink_put_all(s, iov, n, &total);

	if (!ret) {
		s->bytes += total;
		return 0;
	}
	/* A reader would skip the half chunk, but the file is tidier without it. */
	if (!s->stream && total && !ftruncate(s->fd, (off_t)s->bytes))
		lseek(s->fd, (off_t)s->bytes, SEEK_SET);
	return ret;
}

/* So that the new name survives a power cut, too. Not every file system can: then not. */
static void sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

static int keep_old(const struct ks_sink *s, struct ks_err *err)
{
	char *old = NULL;
	int ret = 0;

	if (access(s->path, F_OK))
		return 0;
	if (asprintf(&old, "%s.old", s->path) < 0)
		return ks_fail(err, -ENOMEM, "out of memory; the trace is %s", s->partial);
	if (rename(s->path, old))
		ret = ks_fail(err, -errno, "cannot rename %s to %s (%s); the new trace is %s",
			      s->path, old, strerror(errno), s->partial);
	free(old);
	return ret;
}

static int sink_publish(struct ks_sink *s, struct ks_err *err)
{
	int ret;

	if (fsync(s->fd) && errno != EINVAL && errno != EROFS)
		return ks_fail(err, -errno, "%s: cannot write it out: %s", s->partial,
			       strerror(errno));
	ret = keep_old(s, err);
	if (ret)
		return ret;
	if (rename(s->partial, s->path))
		return ks_fail(err, -errno, "cannot rename %s to %s: %s", s->partial, s->path,
			       strerror(errno));
	sync_dir(s->path);
	return 0;
}

int ks_sink_finish(struct ks_sink *s, struct ks_err *err)
{
	int ret = s->stream ? 0 : sink_publish(s, err);

	ks_sink_drop(s);
	return ret;
}

void ks_sink_drop(struct ks_sink *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	sink_free(s);
}

void ks_sink_discard(struct ks_sink *s)
{
	if (s->partial)
		unlink(s->partial);
	ks_sink_drop(s);
}
