// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cli.h"

#define GRACE_NS 5000000000u

static sigset_t waited_for;

static void wait_for(int sig)
{
	struct sigaction old;

	if (sigaction(sig, NULL, &old) || old.sa_handler != SIG_IGN)
		sigaddset(&waited_for, sig);
}

void child_signals(void)
{
	sigemptyset(&waited_for);
	wait_for(SIGINT);
	wait_for(SIGHUP);
	sigaddset(&waited_for, SIGTERM);
	sigaddset(&waited_for, SIGCHLD);
	sigprocmask(SIG_BLOCK, &waited_for, NULL);
	cli_failing_writes();
	/* Whoever started us may have ignored it: then nobody could wait. */
	signal(SIGCHLD, SIG_DFL);
}

int child_signal_within(const struct timespec *ts)
{
	return sigtimedwait(&waited_for, NULL, ts);
}

static volatile sig_atomic_t came;

static void note(int sig)
{
	came = sig;
	alarm(1);
}

static void die(int sig)
{
	(void)sig;
	signal(came, SIG_DFL);
	raise(came);
}

bool child_signal_during(void (*fn)(void *ctx), void *ctx)
{
	const struct sigaction noted = { .sa_handler = note, .sa_flags = SA_RESTART };
	const struct sigaction late = { .sa_handler = die };
	sigset_t ends = waited_for;
	int sig;

	sigdelset(&ends, SIGCHLD);
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&ends, sig) == 1)
			sigaction(sig, &noted, NULL);
	sigaction(SIGALRM, &late, NULL);
	came = 0;
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	fn(ctx);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	alarm(0);
	return came;
}

int child_signal_fd(void)
{
	int fd = signalfd(-1, &waited_for, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int child_start(struct child *c, char **command)
{
	pid_t pid = fork();

	*c = (struct child){ .pid = pid > 0 ? pid : 0 };
	if (pid)
		return pid > 0 ? 0 : -errno;
	sigprocmask(SIG_UNBLOCK, &waited_for, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(command[0], command);
	cli_error("%s: %s", command[0], strerror(errno));
	_exit(127);
}

bool child_reaped(struct child *c)
{
	int status;
	pid_t pid = waitpid(c->pid, &status, WNOHANG);

	if (!pid)
		return false;
	c->done = true;
	if (pid < 0)
		c->code = 255;
	else
		c->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

void child_end(struct child *c)
{
	const struct timespec moment = { 0, 20000000 };
	unsigned int i;

	if (!c->pid || c->done)
		return;
	kill(c->pid, SIGTERM);
	for (i = 0; i < GRACE_NS / moment.tv_nsec; i++) {
		if (child_reaped(c))
			return;
		nanosleep(&moment, NULL);
	}
	cli_warn("the command does not end on SIGTERM: killing it");
	kill(c->pid, SIGKILL);
	while (!child_reaped(c))
		nanosleep(&moment, NULL);
}
