// SPDX-License-Identifier: GPL-2.0
/*
 * Prints each wait for a spinlock of a host's trace and its guests' as a line, and what each cause
 * took of them all.
 *
 *	cc waits.c $(pkg-config --cflags --libs libkvmsched) -o waits
 *	./waits host.kvs guest.kvs
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kvmsched.h>

struct sums {
	struct ks_session *session;
	struct ks_names *names;
	uint64_t waits, ns[KS_C_WAIT_MAX];
};

/* Called once per wait, when it is over; `w` is valid until this returns. */
static void print_wait(void *ctx, const struct ks_wait *w)
{
	struct sums *sums = (struct sums *)ctx;
	const struct ks_analysis *a = ks_session_analysis(sums->session);
	uint32_t nvms, nvcpus;
	const struct ks_vm *vms = ks_analysis_vms(a, &nvms);
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(a, &nvcpus);
	char where[256];
	int c;

	if (!ks_names_sym(sums->names, w->vm, w->ip, where, sizeof(where)))
		snprintf(where, sizeof(where), "0x%" PRIx64, w->ip);
	printf("%s vCPU %u: %" PRIu64 " ns %s, %u PLE exits, at %s\n", vms[w->vm].name,
	       vcpus[w->vcpu].vcpu_id, w->acq_time - w->try_time, ks_class_name(w->verdict),
	       w->ple_total, where);
	sums->waits++;
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		sums->ns[c] += w->share[c];
}

static int analyse(struct sums *sums, const struct ks_session_opts *files, struct ks_err *err)
{
	const struct ks_names_opts from_traces = { NULL, NULL };
	const struct ks_analysis_ops ops = { .wait = print_wait, .ctx = sums };
	struct ks_analysis_opts opts;
	int ret = ks_names_new(&sums->names, &from_traces);

	if (!ret)
		ret = ks_session_open(&sums->session, files, err);
	if (ret)
		return ret;
	memset(&opts, 0, sizeof(opts)); /* the defaults */
	ret = ks_session_start(sums->session, &opts, &ops, err);
	if (!ret)
		ret = ks_names_load(sums->names, sums->session, err);
	return ret ? ret : ks_session_run(sums->session, NULL, err);
}

int main(int argc, char **argv)
{
	struct ks_session_opts files = { .host = argv[1] };
	struct ks_err err = { "out of memory" };
	struct sums sums = { .waits = 0 };
	int c, ret;

	if (argc < 3) {
		fprintf(stderr, "usage: waits HOST.kvs [VM=]GUEST.kvs...\n");
		return 2;
	}
	files.guests = (const char *const *)argv + 2;
	files.nguests = argc - 2;
	ret = analyse(&sums, &files, &err);
	if (ret) {
		fprintf(stderr, "waits: %s\n", err.msg);
	} else {
		printf("%" PRIu64 " waits", sums.waits);
		for (c = 0; c < KS_C_WAIT_MAX; c++)
			printf(", %s %" PRIu64 " ns", ks_class_name((enum ks_class)c), sums.ns[c]);
		putchar('\n');
	}
	if (sums.session)
		ks_session_close(sums.session);
	ks_names_free(sums.names);
	return ret ? 1 : 0;
}
