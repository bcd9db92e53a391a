// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "ready.h"

#define READY "READY=1"

/* "@name" is an abstract one. Its size, or 0. */
static socklen_t address(struct sockaddr_un *a, const char *name)
{
	size_t len = strlen(name);

	if ((*name != '/' && *name != '@') || len >= sizeof(a->sun_path))
		return 0;
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, name, len);
	if (*name == '@')
		a->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void ready_tell(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { 0 };
	socklen_t len = name ? address(&a, name) : 0;
	int fd;

	if (!name)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!len || fd < 0 ||
	    sendto(fd, READY, sizeof(READY) - 1, MSG_NOSIGNAL, (struct sockaddr *)&a, len) < 0)
		cli_warn("NOTIFY_SOCKET: cannot tell %.100s that it is ready", name);
	if (fd >= 0)
		close(fd);
	unsetenv("NOTIFY_SOCKET");
}
