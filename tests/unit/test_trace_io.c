// SPDX-License-Identifier: GPL-2.0
/* Disks that fill up, readers that go away, streams: what was written stays readable. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "test_trace_util.h"

static uint32_t add_until_error(struct ks_writer *w, uint32_t max, int *error)
{
	uint32_t i;

	*error = 0;
	for (i = 0; i < max && !*error; i++) {
		struct ks_rec rec = made_up(i);

		*error = ks_writer_add(w, rec.cpu, &rec, 1);
	}
	return i;
}

/* The records of a file, all sound, and how many. */
static uint32_t count_records(const char *path, bool *truncated, uint64_t *bad)
{
	struct ks_reader *r = must_read(path);
	const struct ks_rec *rec;
	struct ks_err err;
	uint32_t n = 0;
	int ret;

	while ((ret = ks_reader_next(r, &rec, &err)) > 0) {
		if (rec->type == KS_LOSS)
			continue;
		assert_true(is_made_up(rec));
		n++;
	}
	assert_int_equal(ret, 0);
	*truncated = ks_reader_truncated(r);
	*bad = ks_reader_bad_bytes(r);
	ks_reader_close(r);
	return n;
}

/* In a child, since a limit on file sizes cannot be lifted again. Exit code: what went wrong. */
static int fill_limited(const char *path, rlim_t limit)
{
	const struct rlimit rl = { limit, limit };
	struct ks_writer *w;
	struct ks_err err = { "" };
	int error;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &rl) || ks_writer_open(&w, path, KS_SIDE_HOST, 3, &err))
		return 1;
	add_until_error(w, 1000000, &error);
	if (error != -EFBIG)
		return 2;
	add_until_error(w, 100000, &error); /* dead, and stays so, and does not grow */
	if (error != -EFBIG || ks_writer_flush(w) != -EFBIG)
		return 3;
	if (ks_writer_close(w, &err) != -EFBIG || !strstr(err.msg, ".partial"))
		return 4;
	return 0;
}

static void test_full_disk(void **state)
{
	struct dir *d = *state;
	static const rlim_t limits[] = { 66000, 200000, 262145, 300007 };
	char partial[160];

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		uint32_t whole = (uint32_t)((limits[i] - sizeof(struct ks_file_header)) /
					    ks_chunk_size(KS_CHUNK_RECS * 32));
		bool truncated;
		uint64_t bad;
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(fill_limited(d->file, limits[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(access(d->file, F_OK), -1);
		assert_int_equal(count_records(partial, &truncated, &bad), whole * KS_CHUNK_RECS);
		assert_true(truncated);
		assert_int_equal(bad, 0); /* the half chunk was taken back */
		assert_int_equal(unlink(partial), 0);
	}
}

/* Too full even for the header: nothing worth keeping is left behind. */
static void test_disk_full_at_once(void **state)
{
	struct dir *d = *state;
	char partial[160];
	int status;
	pid_t pid = fork();

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	if (!pid) {
		const struct rlimit rl = { 10, 10 };
		struct ks_writer *w;
		struct ks_err err = { "" };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &rl);
		_exit(ks_writer_open(&w, d->file, KS_SIDE_HOST, 1, &err) == -EFBIG && err.msg[0] ?
			      0 :
			      1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(partial, F_OK), -1);
}

static void test_no_space_on_device(void **state)
{
	struct ks_writer *w;
	struct ks_err err = { "" };

	(void)state;
	assert_int_equal(ks_writer_open_fd(&w, open("/dev/full", O_WRONLY), KS_SIDE_HOST, 1, &err),
			 -ENOSPC);
	assert_non_null(strstr(err.msg, "No space"));
}

struct drain {
	int fd;
	size_t len, room;
	uint8_t *data;
};

static void *drain_all(void *arg)
{
	struct drain *s = arg;
	ssize_t ret;

	while ((ret = read(s->fd, s->data + s->len, s->room - s->len)) > 0)
		s->len += (size_t)ret;
	close(s->fd);
	return NULL;
}

static void write_everything(struct ks_writer *w)
{
	static const char symbols[] = "ffffffff81000000 T _text\n";
	const struct ks_exit_count count = { 0, 0x77, 3 };
	int error;

	add_meta(w, "{\"side\":\"guest\"}");
	add_until_error(w, 20000, &error);
	assert_int_equal(error, 0);
	assert_int_equal(ks_writer_flush(w), 0);
	assert_int_equal(ks_writer_symbols(w, symbols, sizeof(symbols) - 1), 0);
	assert_int_equal(ks_writer_exit_counts(w, &count, 1), 0);
}

static void stream_into(int out, int in, struct drain *s)
{
	struct ks_writer *w;
	struct ks_err err = { "" };
	pthread_t thread;

	*s = (struct drain){ .fd = in, .room = 1 << 20 };
	s->data = malloc(s->room);
	assert_int_equal(pthread_create(&thread, NULL, drain_all, s), 0);
	assert_int_equal(ks_writer_open_fd(&w, out, KS_SIDE_GUEST, 3, &err), 0);
	write_everything(w);
	must_close(w);
	pthread_join(thread, NULL);
}

/* Over a pipe, a pipe that does not block, and a socket: byte for byte what a file has. */
static void test_stream_is_the_file(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_GUEST, 3);
	uint8_t *want;
	size_t len;

	write_everything(w);
	must_close(w);
	want = load_file(d->file, &len);
	for (int kind = 0; kind < 3; kind++) {
		struct drain s;
		int fd[2];

		if (kind < 2) {
			assert_int_equal(pipe(fd), 0);
			if (kind)
				fcntl(fd[1], F_SETFL, O_NONBLOCK);
			stream_into(fd[1], fd[0], &s);
		} else {
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
			stream_into(fd[1], fd[0], &s);
		}
		assert_int_equal(s.len, len);
		assert_memory_equal(s.data, want, len);
		free(s.data);
	}
	free(want);
}

static void broken_stream(int out, int in)
{
	struct ks_writer *w;
	struct ks_err err = { "" };
	int error;

	assert_int_equal(ks_writer_open_fd(&w, out, KS_SIDE_GUEST, 3, &err), 0);
	close(in);
	add_until_error(w, 1000000, &error);
	assert_int_equal(error, -EPIPE);
	assert_int_equal(ks_writer_close(w, &err), -EPIPE);
	assert_non_null(strstr(err.msg, "stream broke"));
}

/* SIGPIPE would end this test: it has its default action. */
static void test_reader_goes_away(void **state)
{
	sigset_t pending;
	int fd[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(pipe(fd), 0);
	broken_stream(fd[1], fd[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	broken_stream(fd[1], fd[0]);
	assert_int_equal(sigpending(&pending), 0);
	assert_false(sigismember(&pending, SIGPIPE));
}

/* A collector that stops reading: with a time limit on the socket the recorder gets out. */
static void test_reader_hangs(void **state)
{
	const struct timeval limit = { .tv_usec = 50000 };
	struct ks_writer *w;
	struct ks_err err = { "" };
	int fd[2], error;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(setsockopt(fd[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(ks_writer_open_fd(&w, fd[1], KS_SIDE_GUEST, 3, &err), 0);
	add_until_error(w, 1000000, &error);
	assert_int_equal(error, -ETIMEDOUT);
	assert_int_equal(ks_writer_close(w, &err), -ETIMEDOUT);
	close(fd[0]);
}

static void test_bad_descriptor(void **state)
{
	struct ks_writer *w;
	struct ks_err err = { "" };

	(void)state;
	assert_int_equal(ks_writer_open_fd(&w, -1, KS_SIDE_HOST, 1, &err), -EBADF);
	assert_non_null(strstr(err.msg, "descriptor"));
}

/* kill -9: what was flushed can be read. */
static void test_killed(void **state)
{
	struct dir *d = *state;
	char partial[160];
	bool truncated;
	uint64_t bad;
	int status, fd[2];
	char byte;
	pid_t pid;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 3);
		int error;

		add_until_error(w, 997, &error);
		ks_writer_flush(w);
		ks_writer_flush(w);
		if (write(fd[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(fd[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(count_records(partial, &truncated, &bad), 997);
	assert_true(truncated);
	assert_int_equal(bad, 0);
	close(fd[0]);
	close(fd[1]);
}

/* The vCPUs that a record speaks of are on the disk before it, also without a flush. */
static void test_killed_knows_its_vcpus(void **state)
{
	struct dir *d = *state;
	const struct ks_rec vcpu = { .time = 10, .type = KS_VCPU_NEW, .id = 1 };
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 3);
	const struct ks_rec *control;
	struct ks_reader *r;
	char partial[160];
	size_t n;
	int error;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	assert_int_equal(ks_writer_add(w, 0, &vcpu, 1), 0);
	add_until_error(w, 10000, &error);
	ks_writer_abort(w);
	r = must_read(partial);
	control = ks_reader_control(r, &n);
	assert_true(n >= 1);
	assert_int_equal(control[0].type, KS_VCPU_NEW);
	ks_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_disk, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_disk_full_at_once, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_no_space_on_device, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_stream_is_the_file, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_reader_goes_away, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_reader_hangs, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_bad_descriptor, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_killed, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_killed_knows_its_vcpus, setup_dir,
						teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
