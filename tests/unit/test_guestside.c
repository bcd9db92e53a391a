// SPDX-License-Identifier: GPL-2.0
/* Names of threads in a guest's recording, and none where /proc numbers them otherwise than the kernel does. */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "guestside.h"
#include "pidns.h"

/* How many names are learned of a thread that there is: 0 or 1; -1 if something fails. */
static int names_learned(void)
{
	struct ks_writer *w;
	struct guestside g;
	int n = -1;

	if (ks_writer_open_fd(&w, open("/dev/null", O_WRONLY), KS_SIDE_GUEST, 1, NULL))
		return n;
	if (!guestside_open(&g, w) && !guestside_thread(&g, (uint32_t)getpid()))
		n = json_object_object_length(g.names);
	if (n >= 0 && guestside_names(&g))
		n = -1;
	guestside_close(&g);
	ks_writer_abort(w);
	return n;
}

static void here(void **state)
{
	(void)state;
	if (!ks_pidns_is_initial(NULL))
		skip();
	assert_int_equal(names_learned(), 1);
}

/* In a child of a child: whoever makes a namespace is not in it. */
static void in_another_namespace(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(77);
		pid = fork();
		if (!pid)
			_exit(names_learned());
		waitpid(pid, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(here),
		cmocka_unit_test(in_another_namespace),
	};

	return cmocka_run_group_tests_name("guestside", tests, NULL, NULL);
}
