# SPDX-License-Identifier: GPL-2.0
#
# kvmsched. `make help` lists the targets; `make demo` and `make check` are the two to know.

OUT     := build
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

CC        ?= gcc
AR        ?= ar
CLANG     ?= $(firstword $(foreach v,19 20 18 17 16,$(shell command -v clang-$(v) 2>/dev/null)) clang)
VMLINUX_H ?= vmlinux-gen/vmlinux.h

# What is built, found by place: a new probe, library file, tool or test needs no line here.
BPF_SRC   := $(wildcard bpf/*.bpf.c)
LIB_SRC   := $(wildcard user/*/*.c)
PROTO_SRC := $(wildcard user/*/*.proto)
TOOL_SRC  := $(wildcard tools/*.c)
UNIT_SRC  := $(wildcard tests/unit/test_*.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
GUEST_SRC := $(wildcard tests/lab/guests/*.c)
SIM_SRC   := $(wildcard tests/sim/*.c)
GEN_MAIN  := vmlinux-gen/vmlinux-gen.c vmlinux-gen/core-check.c
PLOT_SRC  := $(wildcard tests/plot/*.c)
AID_SRC   := $(wildcard tests/aids/*.c)
DECODE_SRC := $(wildcard tests/decode/*.c)
TEST_BPF  := $(wildcard tests/bpf/*.bpf.c)
GEN_SRC   := $(filter-out $(GEN_MAIN),$(wildcard vmlinux-gen/*.c))

SKEL   := $(BPF_SRC:bpf/%.bpf.c=$(OUT)/gen/%.skel.h)
TEST_SKEL := $(TEST_BPF:tests/bpf/%.bpf.c=$(OUT)/gen/%.skel.h)
LIB    := $(OUT)/libkvmsched.a
TOOLS  := $(TOOL_SRC:tools/%.c=$(OUT)/bin/%)
UNIT   := $(UNIT_SRC:tests/unit/%.c=$(OUT)/tests/%)
BENCH  := $(BENCH_SRC:tests/bench/%.c=$(OUT)/tests/%)
GUESTS := $(GUEST_SRC:tests/lab/guests/%.c=$(OUT)/tests/%)
SIM    := $(if $(SIM_SRC),$(OUT)/tests/sim)
MODEL  := $(OUT)/tests/wake-model $(OUT)/tests/boost-model
PLOT   := $(PLOT_SRC:tests/plot/%.c=$(OUT)/tests/%)
AIDS   := $(AID_SRC:tests/aids/%.c=$(OUT)/tests/%)
DECODE := $(if $(DECODE_SRC),$(OUT)/tests/decode)
STALL  := $(OUT)/tests/vcpu-policy-stall
GEN    := $(GEN_MAIN:vmlinux-gen/%.c=$(OUT)/tests/%)
GEN_OBJ := $(GEN_SRC:%.c=$(OUT)/obj/%.o)
PROTO  := $(patsubst %.proto,$(OUT)/gen/%.pb-c,$(notdir $(PROTO_SRC)))
LIB_OBJ := $(LIB_SRC:%.c=$(OUT)/obj/%.o) $(PROTO:$(OUT)/gen/%=$(OUT)/obj/gen/%.o)

# libbpf >= 1.5 with the bpftool of the same kernel: the system's, or built from kernel source.
ifeq ($(shell pkg-config --atleast-version=1.5 libbpf 2>/dev/null && command -v bpftool),)
  LIBBPF_DIR := $(OUT)/libbpf
  LIBBPF     := $(LIBBPF_DIR)/lib/libbpf.a
  BPFTOOL    := $(LIBBPF_DIR)/bin/bpftool
  BPF_INC    := -I$(LIBBPF_DIR)/include
  BPF_LIB    := $(LIBBPF)
else
  LIBBPF  :=
  BPFTOOL := bpftool
  BPF_INC :=
  BPF_LIB := -lbpf
endif

INC := $(addprefix -iquote ,bpf tools tools/common $(OUT)/gen) $(addprefix -iquote ,$(sort $(patsubst %/,%,$(wildcard user/*/)))) $(BPF_INC)
CFLAGS  ?= -O2 -g
KCFLAGS := -std=gnu11 -D_GNU_SOURCE -DKVMSCHED_VERSION='"$(VERSION)"' -Wall -Wextra -Werror \
	   -MMD -MP $(INC)
LIBS    := $(BPF_LIB) -ldw -lelf -lz -lnuma -ljson-c -lprotobuf-c -lpthread -lm

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -D__TARGET_ARCH_x86 -Wall -Wextra -Werror \
	      -fms-extensions -Wno-microsoft-anon-tag -Wno-missing-declarations \
	      -Wno-unused-parameter \
	      -MMD -MP -Ibpf -I$(OUT)/gen/vmlinux $(BPF_INC)

Q := $(if $(V),,@)
say = @printf '  %-7s %s\n' $(1) $(2)

objs = $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard $(1)/*.c))

.PHONY: all demo check bench bench-cost bench-uncontended bench-analysis bench-export bench-policy bench-vnuma lint clean help static deps lab \
	lab-shell tests fuzz FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(TOOLS)

help:
	@echo 'make demo       set up, run a real KVM host with a guest in an emulator, report and draw'
	@echo 'make check      set up and run every test'
	@echo 'make all        build the tools into $(OUT)/bin (needs what .ci/deps build installs)'
	@echo 'make static     the same as static binaries, into $(OUT)/static'
	@echo 'make install    install tools, man pages, completions, unit and libkvmsched'
	@echo '                (PREFIX=$(PREFIX), DESTDIR=, bindir= ...); make uninstall'
	@echo 'make deb        build Debian packages into $(OUT)/deb'
	@echo 'make bench      what the probes cost and how fast the analysis is'
	@echo 'make lint       clang-format, clang-tidy, cppcheck, mandoc'
	@echo 'make lab-shell  a shell on an emulated KVM host with this checkout'
	@echo 'make clean      remove $(OUT) except the link to the cache of the lab'
	@echo 'Variables: CC CLANG CFLAGS VMLINUX_H PREFIX DESTDIR V=1'

# ---- set-up ----

deps:
	$(Q).ci/deps build lab test demo fuzz

lab: deps
	$(Q)tests/lab/setup

lab-shell: lab
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)tests/lab/shell

$(OUT)/libbpf/lib/libbpf.a: .ci/libbpf
	$(Q).ci/libbpf $(OUT)/libbpf > $(OUT)/libbpf.log 2>&1 || { cat $(OUT)/libbpf.log; exit 1; }
$(OUT)/libbpf/bin/bpftool: $(OUT)/libbpf/lib/libbpf.a

# ---- BPF programs ----

# Whatever header VMLINUX_H names is seen by the programs as vmlinux.h, and by nobody else.
$(OUT)/gen/vmlinux/vmlinux.h: FORCE
	@mkdir -p $(@D)
	@cmp -s $(VMLINUX_H) $@ || cp $(VMLINUX_H) $@

vpath %.bpf.c bpf tests/bpf
$(OUT)/bpf/%.bpf.o: %.bpf.c $(OUT)/gen/vmlinux/vmlinux.h $(LIBBPF)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -MT $@ -c $< -o $(@:.o=.tmp.o)
	$(Q)$(BPFTOOL) gen object $@ $(@:.o=.tmp.o)

$(OUT)/gen/%.skel.h: $(OUT)/bpf/%.bpf.o $(BPFTOOL_DEP)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# ---- library and tools ----

# A page is its HTML, the style and the scripts that all pages share, and its own scripts.
PAGES := $(OUT)/gen/locks_page.h $(OUT)/gen/vnuma_page.h
$(OUT)/gen/locks_page.h: $(sort $(wildcard user/plot/page-*.js)) user/plot/page.js
$(OUT)/gen/vnuma_page.h: $(sort $(wildcard user/plot/vnuma-*.js))
$(OUT)/gen/locks_page.h: private PAGE_HTML := user/plot/page.html
$(OUT)/gen/vnuma_page.h: private PAGE_HTML := user/plot/vnuma.html
$(PAGES): user/plot/embed user/plot/page.html user/plot/vnuma.html user/plot/page.css $(wildcard user/plot/both-*.js)
	@mkdir -p $(@D)
	$(Q)user/plot/embed $(@F:_page.h=) $(PAGE_HTML) user/plot/page.css $(sort $(filter user/plot/both-%.js,$^)) \
		$(filter-out user/plot/both-%.js,$(filter %.js,$^)) > $@.tmp && mv $@.tmp $@

vpath %.proto $(sort $(dir $(PROTO_SRC)))
$(OUT)/gen/%.pb-c.c $(OUT)/gen/%.pb-c.h: %.proto
	$(call say,PROTO,$<)
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F)

$(OUT)/obj/gen/%.pb-c.o: $(OUT)/gen/%.pb-c.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(KCFLAGS) -c $< -o $@

$(OUT)/obj/%.o: %.c | $(SKEL) $(LIBBPF) $(PROTO:=.h) \
		   $(if $(wildcard user/plot/page.js),$(PAGES))
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(KCFLAGS) -c $< -o $@

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# A tool is its main, the files in the folder of its name, and what all tools share.
.SECONDEXPANSION:
$(OUT)/bin/%: $(OUT)/obj/tools/%.o $$(call objs,tools/$$*) $(call objs,tools/common) $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# `ple-trace serve` speaks HTTP.
$(OUT)/bin/ple-trace: private LIBS += -lmicrohttpd

# One set of binaries for any x86-64 Linux. libeu.a makes Debian 13's libelf.a and libdw.a whole. The C
# library's warnings about getaddrinfo and the like do not concern us: they are not called.
STATIC      := $(TOOL_SRC:tools/%.c=$(OUT)/static/%)
STATIC_LIBS := $(patsubst -lbpf,-l:libbpf.a,$(BPF_LIB)) -ldw -lelf -lz -lnuma -ljson-c -lprotobuf-c -lbz2 -llzma \
	       -lzstd -lpthread -lm $(OUT)/libeu.a

# What libmicrohttpd.a refers to of GnuTLS, of which there is no whole static library: see the file.
MHD_A   := $(shell $(CC) -print-file-name=libmicrohttpd.a 2>/dev/null)
NO_TLS   = $(shell nm -u $(MHD_A) 2>/dev/null | sed -n 's/^ *U \(gnutls_[a-z0-9_]*\)$$/-Wl,--defsym=\1=ks_no_tls/p' | sort -u)
$(OUT)/static/ple-trace: private STATIC_LIBS += $(MHD_A) $(NO_TLS)
$(OUT)/static/ple-trace: $(OUT)/obj/tools/static/no_tls.o

static: $(STATIC)

$(OUT)/libeu.a: $(OUT)/obj/tools/static/eu_search.o
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(STATIC): $(OUT)/static/%: $(OUT)/obj/tools/%.o $$(call objs,tools/$$*) $(call objs,tools/common) $(LIB) | $(OUT)/libeu.a
	$(call say,STATIC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -static $(LDFLAGS) $^ $(STATIC_LIBS) -o $@ 2> $@.log || \
		{ grep -v warning $@.log; rm -f $@.log; echo "static: this machine's static libraries" \
		"are not whole (those of Debian 12 and 13 are)"; exit 1; }
	$(Q)rm -f $@.log

# The archives that read ELF and DWARF, in the program that tests what is made of them. (cmocka is a
# shared library alone.)
$(OUT)/tests/static_symbols_elf: $(OUT)/obj/tests/unit/test_symbols_elf.o $(LIB) | $(OUT)/libeu.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -no-pie $(LDFLAGS) $^ -Wl,-Bstatic $(STATIC_LIBS) -Wl,-Bdynamic -lcmocka -o $@

# ---- tests ----

tests: $(UNIT) $(BENCH) $(GUESTS) $(SIM) $(MODEL) $(PLOT) $(AIDS) $(DECODE) $(GEN) $(STALL)

$(GEN): $(OUT)/tests/%: $(OUT)/obj/vmlinux-gen/%.o $(GEN_OBJ)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(BPF_LIB) -lelf -lz -o $@

# They test what the tools have in common.
TOOL_UNIT := $(OUT)/tests/test_stream $(OUT)/tests/test_guestside $(OUT)/tests/test_cli $(OUT)/tests/test_toploop
$(TOOL_UNIT): $(call objs,tools/common)
$(TOOL_UNIT): private LIBS := $(LIB) $(LIBS)

$(UNIT): $(OUT)/tests/%: $(OUT)/obj/tests/unit/%.o $(LIB) $(GEN_OBJ)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@

$(BENCH): $(OUT)/tests/%: $(OUT)/obj/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(PLOT): $(OUT)/tests/%: $(OUT)/obj/tests/plot/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(AID_SRC:%.c=$(OUT)/obj/%.o) $(BENCH_SRC:%.c=$(OUT)/obj/%.o) $(DECODE_SRC:%.c=$(OUT)/obj/%.o): | $(TEST_SKEL)

$(AIDS): $(OUT)/tests/%: $(OUT)/obj/tests/aids/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# vcpu-policy with a scheduler that stops handing out pCPUs after a while: the kernel's watchdog has to
# throw it out. Everything but the scheduler is what is installed; this never is.
$(OUT)/stall/%.bpf.o: bpf/%.bpf.c $(OUT)/gen/vmlinux/vmlinux.h $(LIBBPF)
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -DSTALL_AFTER=500000000ull -MF $(@:.o=.d) -MT $@ -c $< -o $(@:.o=.tmp.o)
	$(Q)$(BPFTOOL) gen object $@ $(@:.o=.tmp.o)

$(OUT)/stall/%.skel.h: $(OUT)/stall/%.bpf.o $(BPFTOOL_DEP)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

$(OUT)/stall/boost_scx.o: $(OUT)/stall/ple_boost.skel.h
$(OUT)/stall/wake.o: $(OUT)/stall/vnuma_wake.skel.h
$(OUT)/stall/%.o: user/policy/%.c
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) -iquote $(OUT)/stall $(KCFLAGS) -c $< -o $@

$(STALL): $(OUT)/stall/boost_scx.o $(OUT)/stall/wake.o $(OUT)/obj/tools/vcpu-policy.o $(call objs,tools/vcpu-policy) \
	  $(call objs,tools/common) $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# A policy's own source as a program of this machine: tests/model/README.md. (MODEL_BPF: one that has been changed.)
MODEL_BPF := bpf
$(MODEL): %-model: $(wildcard tests/model/*.[ch] tests/model/shim/*.h tests/model/shim/bpf/*.h) \
	  $(wildcard $(MODEL_BPF)/*.h $(MODEL_BPF)/*.bpf.c)
	$(call say,MODEL,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-attributes -Wno-unknown-attributes \
		-Wno-unused-parameter -Itests/model/shim -iquote tests/model/shim -iquote $(MODEL_BPF) \
		tests/model/$(@F:-model=).c $(addprefix tests/model/,kernel.c helpers.c scx.c) -o $@

$(GUESTS): $(OUT)/tests/%: tests/lab/guests/%.c tests/lab/guests/guest.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror $(GUEST_FLAGS) $< $(GUEST_LIBS) -lpthread -o $@

GUEST_CC = $(CC)
# OpenMP is GCC's, whatever else is compiled with. The lab's root has no libgomp: the archive's is taken, and the
# shared one, which -fopenmp adds, not needed any more.
$(OUT)/tests/omp: GUEST_CC := gcc
$(OUT)/tests/omp: GUEST_FLAGS := -fopenmp
$(OUT)/tests/omp: GUEST_LIBS := -Wl,--as-needed,-Bstatic -lgomp -Wl,-Bdynamic

$(OUT)/tests/sim: $(SIM_SRC:%.c=$(OUT)/obj/%.o) $(LIB)
$(OUT)/tests/decode: $(DECODE_SRC:%.c=$(OUT)/obj/%.o) $(LIB)
$(SIM) $(DECODE):
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

lint: $(SKEL) $(PROTO:=.h)
	$(Q).ci/deps lint
	$(Q)tests/lint

check:
	$(Q)tests/check

demo:
	$(Q)tests/demo/run

BENCHES := bench-cost bench-uncontended bench-analysis bench-export bench-policy bench-vnuma
bench: $(BENCHES)
$(BENCHES): bench-%: all tests
	$(Q)tests/bench/$*

fuzz: all
	$(Q)tests/fuzz/run $(or $(SECONDS),600)

# ---- install, clean ----

include tools/install.mk

clean:
	$(Q)find $(OUT) -mindepth 1 -maxdepth 1 ! -name lab -exec rm -rf {} + 2>/dev/null || true

-include $(shell find $(OUT)/obj $(OUT)/pic $(OUT)/bpf $(OUT)/stall -name '*.d' 2>/dev/null)
