// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "load.h"
#include "probe.h"
#include "text.h"

#define KERNEL_ENOTSUPP 524	   /* what the kernel's BPF answers instead of ENOTSUP */
#define RINGS_DEFAULT (128u << 20) /* bytes of all rings together */

/* The kernel's verifier and libbpf say the cause in their first warning; the rest is its echo. */
static char first_warning[200];
static void (*log_fn)(const char *line);

void ks_probe_log(void (*fn)(const char *line))
{
	log_fn = fn;
}

static int remember(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	va_list again;
	char *text;

	if (log_fn) {
		va_copy(again, ap);
		if (vasprintf(&text, fmt, again) >= 0) {
			log_fn(text);
			free(text);
		}
		va_end(again);
	}
	if (level != LIBBPF_WARN || first_warning[0])
		return 0;
	vsnprintf(first_warning, sizeof(first_warning), fmt, ap);
	first_warning[strcspn(first_warning, "\n")] = 0;
	return 0;
}

void ks_load_quiet(void)
{
	first_warning[0] = 0;
	libbpf_set_print(remember);
}

static const char *advice(int code)
{
	switch (code) {
	case -EPERM:
	case -EACCES:
		if (!geteuid()) /* then it is the verifier that says no */
			return NULL;
		return "run as root (needs CAP_BPF and CAP_PERFMON, a host CAP_SYS_ADMIN for the "
		       "types of "
		       "KVM's modules, and no kernel lockdown)";
	case -ESRCH:
	case -ENOENT:
		return "the kernel lacks something the probe needs; see `check`";
	case -ENOMEM:
		return "not enough memory; use a smaller --ring-size";
	default:
		return NULL;
	}
}

/* In this mode BPF may not read kernel memory; the verifier then finds helpers unknown: -EINVAL. */
static bool locked_down(void)
{
	char line[64] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	return strstr(line, "[confidentiality]");
}

static bool jit_off(void)
{
	char line[8] = "";

	ks_read_line("", line, sizeof(line), "/proc/sys/net/core/bpf_jit_enable");
	return line[0] == '0';
}

/* Without CAP_SYS_ADMIN the types of modules are not shown: tracepoints seem to be missing. */
static int seen_through(int code)
{
	return code == -ESRCH && geteuid() ? -EPERM : code;
}

int ks_load_err(struct ks_err *err, int code, const char *what)
{
	const char *hint;

	code = seen_through(code);
	hint = advice(code);
	if ((code == -EINVAL || code == -EPERM) && locked_down()) {
		code = -EPERM;
		hint = "the kernel is under lockdown=confidentiality, which keeps BPF from reading "
		       "it; "
		       "boot with lockdown=integrity or none";
	}
	if (code == -KERNEL_ENOTSUPP) {
		code = -ENOTSUP;
		if (jit_off())
			hint = "BPF's compiler is switched off: sysctl net.core.bpf_jit_enable=1";
	}
	if (hint)
		snprintf(err->msg, sizeof(err->msg), "%s: %s: %s", what, strerror(-code), hint);
	else
		snprintf(err->msg, sizeof(err->msg), "%s: %s%s%.120s", what, strerror(-code),
			 first_warning[0] ? ": " : "", first_warning);
	return code;
}

int ks_load_sched_err(struct ks_err *err, int code)
{
	if (code != -ENOENT)
		return ks_load_err(err, code, "loading the probe");
	/* A kernel variable that its BTF knows, but not its symbol table. */
	snprintf(err->msg, sizeof(err->msg),
		 "this kernel does not tell where its run queues are: it must be built with "
		 "CONFIG_KALLSYMS_ALL=y");
	return -ENOTSUP;
}

static bool has_type(struct btf *btf, const char *name, uint32_t kind)
{
	return btf && btf__find_by_name_kind(btf, name, kind) > 0;
}

int ks_need_btf(struct ks_err *err)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		return 0;
	snprintf(err->msg, sizeof(err->msg),
		 "needs the kernel's BTF, and there is no /sys/kernel/btf/vmlinux: use a kernel "
		 "with "
		 "CONFIG_DEBUG_INFO_BTF");
	return -ENOTSUP;
}

/* Parsed once: a loader asks some 25 times, and each parse takes megabytes through. Never freed. */
static struct btf *vmlinux_btf(void)
{
	static struct btf *base;

	if (!base)
		base = btf__load_vmlinux_btf();
	return base;
}

bool ks_has_tracepoint(const char *module, const char *name)
{
	struct btf *base = vmlinux_btf(), *mod = NULL;
	char type[96];
	bool has;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	has = has_type(base, type, BTF_KIND_TYPEDEF);
	if (!has && module) {
		mod = btf__load_module_btf(module, base);
		has = has_type(mod, type, BTF_KIND_TYPEDEF);
	}
	btf__free(mod);
	return has;
}

bool ks_has_function(const char *name)
{
	return has_type(vmlinux_btf(), name, BTF_KIND_FUNC);
}

bool ks_ftrace_is_off(void)
{
	char enabled[8];

	return !ks_read_line(NULL, enabled, sizeof(enabled), "/proc/sys/kernel/ftrace_enabled") &&
	       enabled[0] == '0';
}

/* A test run of it lets the kernel call the function that it is attached to. */
bool ks_fentry_runs(int trial, const volatile __u64 *trials)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	__u64 before = *trials;

	return !bpf_prog_test_run_opts(trial, &run) && *trials != before;
}

uint64_t ks_enumerator(const char *type, const char *name)
{
	struct btf *btf = vmlinux_btf();
	const struct btf_type *t;
	uint32_t i, off;
	int id = btf ? btf__find_by_name_kind(btf, type, BTF_KIND_ENUM64) : -ENOENT;

	if (btf && id < 0)
		id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	for (i = 0; t && i < btf_vlen(t); i++) {
		off = btf_is_enum64(t) ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
		if (!strcmp(btf__name_by_offset(btf, off), name))
			return btf_is_enum64(t) ? btf_enum64_value(&btf_enum64(t)[i]) :
						  (uint32_t)btf_enum(t)[i].val;
	}
	return 0;
}

unsigned int ks_ring_slots_round(unsigned int slots, int cpus)
{
	unsigned int n = KS_RING_SLOTS_MIN;

	if (!slots) {
		n = 65536;
		while (cpus > 0 && n > 4096 &&
		       (size_t)n * cpus * sizeof(struct ks_rec) > RINGS_DEFAULT)
			n >>= 1;
		return n;
	}
	while (n < slots && n < KS_RING_SLOTS_MAX)
		n <<= 1;
	return n;
}

void ks_note_program(struct json_object *programs, const char *name, const char *state)
{
	json_object_object_add(programs, name, json_object_new_string(state));
}
