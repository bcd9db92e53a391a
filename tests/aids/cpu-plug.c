// SPDX-License-Identifier: GPL-2.0
/*
 * On the host: takes the second vCPU of a VM away and gives it back as `virsh setvcpus --live' does, by QEMU's monitor and
 * ACPI, and takes the times: from the request until the vCPU's thread is gone, and until it runs the guest. To switch a
 * CPU on that has come is the guest's own affair (plug.guest).
 *
 *   cpu-plug SOCKET PID N    give it first; then take and give N times, a line of JSON each
 */
#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "now.h"
#include "qmp.h"
#include "text.h"
#include "vm.h"

#define ID "second"
#define LIMIT_NS 60000000000ull
#define LOOK_US 2000
#define RUNS_NS 1000000ull /* one that waits to be switched on has mostly run for less */

static struct ks_qmp *qmp;
static unsigned int vmm;

static void die(const char *why)
{
	fprintf(stderr, "cpu-plug: %s\n", why);
	exit(1);
}

/* What the vCPU's thread has run for; 0 without such a thread. */
static unsigned long long ran_ns(void)
{
	unsigned long long ran = 0;
	struct dirent *e;
	char text[128];
	DIR *d;

	snprintf(text, sizeof(text), "/proc/%u/task", vmm);
	d = opendir(text);
	if (!d)
		die("no such VM");
	while (!ran && (e = readdir(d))) {
		if (ks_read_line(NULL, text, sizeof(text), "/proc/%u/task/%s/comm", vmm,
				 e->d_name) ||
		    ks_vm_vcpu_of_name(text) != 1)
			continue;
		ran = 1;
		if (!ks_read_line(NULL, text, sizeof(text), "/proc/%u/task/%s/schedstat", vmm,
				  e->d_name))
			ran += strtoull(text, NULL, 10);
	}
	closedir(d);
	return ran;
}

static struct json_object *run(const char *command, struct json_object *args)
{
	struct json_object *result;
	struct ks_err err;

	if (ks_qmp_run(qmp, command, args, &result, &err))
		die(err.msg);
	return result;
}

/* What QEMU wants to be told of the vCPU that there could be. */
static struct json_object *second(void)
{
	struct json_object *all = run("query-hotpluggable-cpus", NULL), *args = NULL, *c, *o;
	size_t i;

	for (i = 0; i < json_object_array_length(all) && !args; i++) {
		c = json_object_array_get_idx(all, i);
		if (json_object_object_get_ex(c, "qom-path", &o))
			continue;
		args = json_object_new_object();
		json_object_object_add(args, "driver",
				       json_object_get(json_object_object_get(c, "type")));
		json_object_object_foreach(json_object_object_get(c, "props"), key, value)
			json_object_object_add(args, key, json_object_get(value));
		json_object_object_add(args, "id", json_object_new_string(ID));
	}
	json_object_put(all);
	if (!args)
		die("the VM has no room for a second vCPU: -smp 1,maxcpus=2");
	return args;
}

static unsigned long long give(void)
{
	struct json_object *args = second();
	unsigned long long begun = ks_now_ns();

	json_object_put(run("device_add", args));
	while (ran_ns() < RUNS_NS) {
		if (ks_now_ns() - begun > LIMIT_NS)
			die("the guest does not switch it on");
		usleep(LOOK_US);
	}
	return ks_now_ns() - begun;
}

static unsigned long long take(void)
{
	struct json_object *args = json_object_new_object();
	unsigned long long begun = ks_now_ns();

	json_object_object_add(args, "id", json_object_new_string(ID));
	json_object_put(run("device_del", args));
	while (ran_ns()) {
		if (ks_now_ns() - begun > LIMIT_NS)
			die("the guest does not let it go");
		usleep(LOOK_US);
	}
	return ks_now_ns() - begun;
}

int main(int argc, char **argv)
{
	unsigned long long took;
	struct ks_err err;
	int i;

	if (argc != 4)
		die("use: cpu-plug SOCKET PID N");
	vmm = (unsigned int)atoi(argv[2]);
	if (ks_qmp_open(&qmp, argv[1], 0, 20000, &err))
		die(err.msg);
	give();
	for (i = 0; i < atoi(argv[3]); i++) {
		usleep(300000);
		took = take();
		usleep(300000);
		printf("{\"kind\":\"acpi\",\"take_ns\":%llu,\"give_ns\":%llu}\n", took, give());
		fflush(stdout);
	}
	ks_qmp_close(qmp);
	return 0;
}
