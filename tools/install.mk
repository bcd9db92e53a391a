# SPDX-License-Identifier: GPL-2.0
# What `make install`, `make uninstall` and `make deb` put where; included by the Makefile.
# PREFIX or prefix, DESTDIR, and GNU's names of folders work as they do elsewhere.

prefix       ?= $(PREFIX)
exec_prefix  ?= $(prefix)
bindir       ?= $(exec_prefix)/bin
libdir       ?= $(exec_prefix)/lib
includedir   ?= $(prefix)/include
datarootdir  ?= $(prefix)/share
mandir       ?= $(datarootdir)/man
docdir       ?= $(datarootdir)/doc/kvmsched
pkgconfigdir ?= $(libdir)/pkgconfig
bashcompdir  ?= $(datarootdir)/bash-completion/completions
zshcompdir   ?= $(datarootdir)/zsh/site-functions
unitdir      ?= $(prefix)/lib/systemd/system

# ---- libkvmsched: what reads and analyses; no BPF in it ----

API_DIRS := trace clock model analyze report
API_SYS  := exits ipclass symbols symdwarf symelf text
API_SRC  := $(filter-out user/model/live.c user/model/fleet.c,$(wildcard $(API_DIRS:%=user/%/*.c))) \
	    $(API_SYS:%=user/sys/%.c)
API_OBJ  := $(API_SRC:%.c=$(OUT)/pic/%.o)
API_H    := bpf/records.h user/trace/api.h user/trace/trace.h user/clock/clock.h user/model/vcpu.h \
	    user/analyze/link.h user/analyze/analyze.h user/analyze/session.h user/report/names.h \
	    user/report/report.h
API_LIBS := -ljson-c -ldw -lelf -lz
SO       := libkvmsched.so
SONAME   := $(SO).0

$(OUT)/pic/%.o: %.c
	$(call say,PIC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(KCFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(OUT)/lib/$(SO).$(VERSION): $(API_OBJ) user/libkvmsched.map
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--no-undefined \
		-Wl,--version-script,user/libkvmsched.map $(API_OBJ) $(API_LIBS) -o $@
	$(Q)ln -sf $(@F) $(@D)/$(SONAME) && ln -sf $(SONAME) $(@D)/$(SO)

# One object, so that here, too, only the API's names can meet those of a program.
$(OUT)/lib/libkvmsched.a: $(API_OBJ)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -r $^ -o $(@D)/kvmsched.o && objcopy --localize-hidden $(@D)/kvmsched.o
	$(Q)rm -f $@ && $(AR) rcs $@ $(@D)/kvmsched.o

$(OUT)/lib/libkvmsched.pc: user/libkvmsched.pc.in FORCE
	@mkdir -p $(@D)
	$(Q)sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' -e 's|@version@|$(VERSION)|' \
		-e 's|@includedir@|$(includedir)|' $< > $@

LIBS_BUILT := $(OUT)/lib/$(SO).$(VERSION) $(OUT)/lib/libkvmsched.a

# ---- completions, from the tools' own options; the unit ----

COMPLETE := $(TOOLS:$(OUT)/bin/%=$(OUT)/complete/%) $(TOOLS:$(OUT)/bin/%=$(OUT)/complete/_%)

$(OUT)/complete/%.table: $(OUT)/bin/%
	@mkdir -p $(@D)
	$(Q)$< --option-table > $@
$(OUT)/complete/_%: $(OUT)/complete/%.table tools/completion/zsh.awk
	$(Q)awk -f tools/completion/zsh.awk $< > $@
$(OUT)/complete/%: $(OUT)/complete/%.table tools/completion/bash.awk tools/completion/bash.in
	$(Q)awk -f tools/completion/bash.awk $< tools/completion/bash.in > $@

UNITS := $(patsubst tools/units/%.in,$(OUT)/units/%,$(wildcard tools/units/*.in))

$(OUT)/units/%: tools/units/%.in FORCE
	@mkdir -p $(@D)
	$(Q)sed -e 's|@bindir@|$(bindir)|' $< > $@

# ---- what goes where ----

INSTALLED := bin man1 man3 man7 bash zsh unit so lib pc include header doc example schema prometheus
bin_to     := $(bindir)
bin_files  := $(TOOLS)
bin_mode   := 755
man1_to    := $(mandir)/man1
man1_files := $(wildcard docs/*.1)
man3_to    := $(mandir)/man3
man3_files := $(wildcard docs/*.3)
man7_to    := $(mandir)/man7
man7_files := $(wildcard docs/*.7)
bash_to    := $(bashcompdir)
bash_files := $(filter-out $(OUT)/complete/_%,$(COMPLETE))
zsh_to     := $(zshcompdir)
zsh_files  := $(filter $(OUT)/complete/_%,$(COMPLETE))
unit_to    := $(unitdir)
unit_files := $(UNITS)
so_to      := $(libdir)
so_files   := $(OUT)/lib/$(SO).$(VERSION)
lib_to     := $(libdir)
lib_files  := $(OUT)/lib/libkvmsched.a
pc_to      := $(pkgconfigdir)
pc_files   := $(OUT)/lib/libkvmsched.pc
include_to    := $(includedir)
include_files := user/kvmsched.h
header_to     := $(includedir)/kvmsched
header_files  := $(API_H)
doc_to        := $(docdir)
doc_files     := $(wildcard docs/*.md docs/*.svg)
example_to    := $(docdir)/examples
example_files := $(wildcard docs/examples/*)
schema_to        := $(docdir)/schema
schema_files     := $(wildcard docs/schema/*)
prometheus_to    := $(docdir)/prometheus
prometheus_files := $(wildcard docs/prometheus/*)

define put
	$(if $($(1)_files),install -d '$(DESTDIR)$($(1)_to)')
	$(if $($(1)_files),install -m $(or $($(1)_mode),644) $($(1)_files) '$(DESTDIR)$($(1)_to)')

endef

define take_away
	$(if $($(1)_files),rm -f $(foreach f,$($(1)_files),'$(DESTDIR)$($(1)_to)/$(notdir $(f))'))

endef

.PHONY: install uninstall lib deb

lib: $(LIBS_BUILT)

install: all lib $(COMPLETE) $(UNITS) $(OUT)/lib/libkvmsched.pc
	$(foreach p,$(INSTALLED),$(call put,$(p)))
	ln -sf $(SO).$(VERSION) '$(DESTDIR)$(libdir)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(libdir)/$(SO)'

# Folders of our own go, too, when they are empty; those of others stay.
uninstall:
	$(foreach p,$(INSTALLED),$(call take_away,$(p)))
	rm -f '$(DESTDIR)$(libdir)/$(SONAME)' '$(DESTDIR)$(libdir)/$(SO)'
	-rmdir '$(DESTDIR)$(docdir)/examples' '$(DESTDIR)$(docdir)/schema' '$(DESTDIR)$(docdir)/prometheus' '$(DESTDIR)$(docdir)' '$(DESTDIR)$(includedir)/kvmsched'

deb:
	$(Q).ci/deps build deb
	$(Q)tools/debian/build $(OUT)/deb
