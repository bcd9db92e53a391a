// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "lock-timeline/commands.h"

static const struct cli_command commands[] = {
	{ "record", lock_record, "in a guest: record its spinlocks" },
	{ "stream", lock_stream, "in a guest: the same, sent to the host over vsock" },
	{ "collect", lock_collect, "on the host: write what guests stream to files" },
	{ "publish", lock_publish,
	  "in a guest: let the host see who holds and who wants which lock" },
	{ "report", lock_report, "say why the waits took so long" },
	{ "plot", lock_plot, "draw waits, holds, PLE exits and vCPUs" },
	{ "check", lock_check, "say what this machine can record, and why not" },
	{ 0 },
};

int main(int argc, char **argv)
{
	return cli_dispatch(
		argc, argv, commands,
		"Spinlock waits and holds of KVM guests, laid over what their host did.",
		"  lock-timeline record -o guest.kvs -- make -j8\n"
		"  lock-timeline report host.kvs guest.kvs\n"
		"  lock-timeline plot -o picture.html host.kvs guest.kvs\n");
}
