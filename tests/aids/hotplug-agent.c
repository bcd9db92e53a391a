// SPDX-License-Identifier: GPL-2.0
/*
 * In a guest: does what `vm-share agent' does for its host, but by CPU hotplug: a CPU that is given up goes offline. So
 * the same host program, asking in the same way, can take the times of both. Until it is killed.
 *
 *   hotplug-agent PORT
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent_msg.h"
#include "err.h"
#include "text.h"
#include "vsock.h"

#define FIRST 1u /* CPU 0 does not go offline */

static void read_online(struct ks_cpus *set)
{
	char text[4096];

	*set = (struct ks_cpus){ 0 };
	if (!ks_read_line(NULL, text, sizeof(text), "/sys/devices/system/cpu/online"))
		ks_cpus_parse("online", text, set, NULL);
}

static int put_online(unsigned int cpu, bool online)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	f = fopen(path, "w");
	if (!f)
		return -1;
	fputs(online ? "1" : "0", f);
	return fclose(f);
}

static uint32_t confine(const struct ks_cpus *to, const struct ks_cpus *online)
{
	unsigned int cpu, n = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);

	for (cpu = FIRST; cpu < n; cpu++)
		if (ks_cpus_has(to, cpu) != ks_cpus_has(online, cpu) &&
		    put_online(cpu, ks_cpus_has(to, cpu)))
			return KS_AGENT_FAILED;
	return KS_AGENT_DONE;
}

static int serve(int fd)
{
	struct ks_agent_answer answer;
	struct ks_agent_ask ask;
	char in[sizeof(ask)];
	int ret = ks_agent_receive(fd, in, sizeof(in), KS_AGENT_TIMEOUT_MS);

	if (ret)
		return ret;
	ks_agent_answer_init(&answer, 0);
	answer.result = ks_agent_check_ask(in, sizeof(in), &ask);
	answer.number = ask.number;
	read_online(&answer.online);
	if (answer.result == KS_AGENT_DONE && ask.what == KS_AGENT_CONFINE)
		answer.result = confine(&ask.cpus, &answer.online);
	read_online(&answer.online);
	answer.may = answer.online;
	return ks_agent_send(fd, &answer, sizeof(answer), KS_AGENT_TIMEOUT_MS);
}

int main(int argc, char **argv)
{
	struct ks_err err = { "use: hotplug-agent PORT" };
	int listener = argc == 2 ? ks_vsock_listen(UINT32_MAX, (uint32_t)atoi(argv[1]), &err) : -1,
	    fd;
	struct pollfd p = { .events = POLLIN };
	uint32_t cid;

	if (listener < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	for (;;) {
		fd = ks_vsock_accept(listener, &cid, -1);
		p.fd = fd;
		while (fd >= 0 && poll(&p, 1, -1) > 0 && !serve(fd))
			;
		close(fd);
	}
}
