# make run      install what is missing, build, run the main job
# make test     the same for the tests
# Others: test-runtime lint bench accuracy fuzz install clean; SAN=address,undefined or SAN=thread; CC=clang.

NASW_SHARED ?= ../shared
HW     ?= ne32
PREFIX ?= /usr/local
SAN    ?=
FUZZ_SECONDS ?= 60

comma := ,
# the work behind run, test and their kin goes to all processors, unless -j says otherwise
JOBS := $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
B := build$(if $(SAN),/san-$(firstword $(subst $(comma), ,$(SAN))))

# ---- packages (Debian 12) -------------------------------------------------------------------
PKGS_BUILD := gcc libc6-dev pkg-config libcjson-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev libxgboost-dev \
              libncurses-dev liblua5.4-dev libdnnl-dev
PKGS_TEST  := $(PKGS_BUILD) check libvterm-dev ncurses-term tmux
PKGS_LINT  := $(PKGS_BUILD) clang-format lua-check
PKGS_FUZZ  := clang libclang-rt-14-dev
PKGS_NODE  := nodejs npm
PKGS_ONNX  := python3-onnx

# Installs the packages named in $(1) that are missing: as root, through sudo -n, or not at all.
define need
@missing=$$(for p in $(1); do \
    dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || printf ' %s' $$p; done); \
if ! command -v dpkg-query >/dev/null; then \
    echo "nasw: no dpkg here; you need what these Debian packages hold: $(1)" >&2; \
elif [ -n "$$missing" ]; then \
    if [ "$$(id -u)" = 0 ]; then as=; \
    elif sudo -n true 2>/dev/null; then as="sudo -n"; \
    else echo "nasw: packages are missing; run: apt-get install -y --no-install-recommends$$missing" >&2; exit 1; fi; \
    echo "nasw: installing$$missing" >&2; \
    apt="$$as env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"; \
    ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || $$apt update >&2 || exit 1; \
    $$apt install -y --no-install-recommends $$missing >&2 </dev/null || { $$apt update >&2 && \
    $$apt install -y --no-install-recommends $$missing >&2 </dev/null; } || \
    { echo "nasw: apt-get could not install$$missing" >&2; exit 1; }; \
fi
endef

# ---- flags ----------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
OPT  ?= -O2
BASE := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -I. -I$(B)/gen -pthread $(OPT) -g \
        -ffp-contract=off $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
override CFLAGS := $(BASE) $(WARN) $(CFLAGS)
VERSION := 0.1
DEFS  = -DNASW_VERSION='"$(VERSION)"' -DNASW_PREFIX='"$(PREFIX)"'
LIBS := -lprotobuf-c -lcjson -lxgboost -ldnnl -lgomp -lm
LUA_CFLAGS = $(shell pkg-config --cflags lua5.4 2>/dev/null)
LUA_LIBS   = $(shell pkg-config --libs lua5.4 2>/dev/null)
UI_LIBS := -lncursesw -ltinfo

PRESETS := $(filter-out hw/cpu%,$(wildcard hw/*.json))
MADE_BY := $(foreach m,base graph hw kernel device measure estimator,$(patsubst %.c,$(B)/%.o,$(wildcard src/$m/*.c)))
SRC   := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJ   := $(SRC:%.c=$(B)/%.o) $(B)/gen/onnx.pb-c.o
UI_OBJ  := $(patsubst %.c,$(B)/%.o,$(wildcard ui/*.c))
LUA_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard lua/*.c))
TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
TERM_SUPPORT := $(B)/tests/support_term.o
SUPPORT := $(filter-out $(TERM_SUPPORT),$(patsubst %.c,$(B)/%.o,$(wildcard tests/support*.c tests/referee_*.c)))
# what programs that are no suites do without: Check may not be there
CHECK_SUPPORT := $(patsubst %.c,$(B)/%.o,$(shell grep -l 'check\.h' $(wildcard tests/support*.c tests/referee_*.c)))
# named, so that the rule of a test is never passed over for want of a file that can be made
$(SUPPORT) $(TERM_SUPPORT): $(B)/flags
FUZZERS := $(patsubst tests/fuzz_%.c,%,$(wildcard tests/fuzz_*.c))

.PHONY: run test test-runtime deps-runtime all tests lint bench accuracy fuzz install clean deps
.DELETE_ON_ERROR:
# Kept, and still made when missing: a source older than the archive may be new to it.
.PRECIOUS: $(B)/%.o
.DEFAULT_GOAL := all

all: $(B)/nasw estimators
tests: $(TESTS) $(B)/nasw estimators

deps:
	$(call need,$(PKGS_BUILD))
run: deps
	@$(MAKE) --no-print-directory -s $(JOBS) all
	@if [ -t 0 ] && [ -t 1 ] && [ "$${TERM:-dumb}" != dumb ]; then $(B)/nasw --hw $(HW); \
	else $(B)/nasw estimate demo --hw $(HW); fi
test:
	$(call need,$(PKGS_TEST))
	@$(MAKE) --no-print-directory -s $(JOBS) tests
	@NASW_SHARED='$(NASW_SHARED)' NASW_BIN=$(B)/nasw sh tests/run.sh $(TESTS)
# What is written, run by onnxruntime (from npm) and looked at by the onnx package's checker.
deps-runtime:
	$(if $(shell command -v node && command -v npm),,$(call need,$(PKGS_NODE)))
	$(if $(shell /usr/bin/python3 -c 'import onnx' 2>&1 || echo none),$(call need,$(PKGS_ONNX)))
test-runtime: deps
	-@$(MAKE) --no-print-directory -s deps-runtime
	@$(MAKE) --no-print-directory -s $(JOBS) all $(B)/tests/onnx_copy $(B)/tests/onnx_thin
	@NASW_SHARED='$(NASW_SHARED)' NASW_BIN=$(B)/nasw NASW_COPY=$(B)/tests/onnx_copy NASW_THIN=$(B)/tests/onnx_thin \
	    RUNTIME=build/runtime sh tests/runtime/run.sh
lint:
	$(call need,$(PKGS_LINT))
	@sh tests/lint.sh
bench: deps
	@$(MAKE) --no-print-directory -s $(JOBS) all $(B)/tests/bench
	@NASW_SHARED='$(NASW_SHARED)' NASW_BIN=$(B)/nasw $(B)/tests/bench
accuracy: deps
	@$(MAKE) --no-print-directory -s $(JOBS) all $(B)/tests/accuracy
	@NASW_SHARED='$(NASW_SHARED)' $(B)/tests/accuracy
fuzz:
	$(call need,$(PKGS_BUILD) $(PKGS_FUZZ))
	@for f in $(FUZZERS); do $(MAKE) --no-print-directory -s CC=clang \
	    SAN=fuzzer-no-link,address,undefined OPT=-O1 fuzz-$$f || exit 1; done

install: all
	install -D -m 755 $(B)/nasw $(DESTDIR)$(PREFIX)/bin/nasw
	install -d $(DESTDIR)$(PREFIX)/share/nasw/hw
	install -m 644 hw/*.json $(DESTDIR)$(PREFIX)/share/nasw/hw
	install -d $(DESTDIR)$(PREFIX)/share/nasw/estimators
	install -m 644 $(ESTIMATORS) $(DESTDIR)$(PREFIX)/share/nasw/estimators
clean:
	rm -rf build

# ---- building -------------------------------------------------------------------------------
# Everything depends on the flags it was made with, but for -Werror, which changes no object.
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(filter-out -Werror,$(CFLAGS))' | cmp -s - $@ || \
	    echo '$(CC) $(filter-out -Werror,$(CFLAGS))' > $@
FORCE:

$(B)/gen/onnx.pb-c.c:
	@mkdir -p $(@D)
	proto=$$(dpkg -L libonnx-dev 2>/dev/null | grep 'onnx/onnx\.proto$$' || \
	    find /usr/include /usr/local/include -name onnx.proto 2>/dev/null | head -1); \
	protoc-c --c_out=$(@D) -I$$(dirname $$proto) $$proto
$(B)/gen/onnx.pb-c.o: $(B)/gen/onnx.pb-c.c $(B)/flags
	$(CC) $(filter-out -W%,$(CFLAGS)) -w -c $< -o $@

$(patsubst %.c,$(B)/%.o,$(wildcard src/format/onnx*.c)): $(B)/gen/onnx.pb-c.c
$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(DEFS) -MMD -MP -c $< -o $@
# lua.h is for lua/ and main.c alone.
$(LUA_OBJ) $(B)/src/main.o: private override CFLAGS += $(LUA_CFLAGS)
$(B)/libnw.a: $(OBJ)
$(B)/libui.a: $(UI_OBJ)
$(B)/libnwlua.a: $(LUA_OBJ)
$(B)/lib%.a:
	@rm -f $@
	ar rcs $@ $^
# The estimators of the presets: measured on the simulated device, then fitted. What a plain build
# made serves every other; made again when what they are made by changes.
ESTIMATORS := $(patsubst hw/%.json,build/estimators/%.json,$(PRESETS))
.PHONY: estimators
ifeq ($(SAN),)
estimators: $(ESTIMATORS)
$(ESTIMATORS): build/estimators/%.json: hw/%.json $(MADE_BY) | $(B)/nasw
	@mkdir -p $(@D)
	@$(B)/nasw measure --hw $< -o build/estimators/$*.csv && \
	$(B)/nasw fit build/estimators/$*.csv --hw $< --target latency_us --network network --trees 80 --folds 3 \
	    -o $@ > build/estimators/$*.txt && rm build/estimators/$*.csv
else
estimators:
	@$(MAKE) --no-print-directory -s SAN= estimators
endif

# The core's tests link without curses and Lua, so the linker guards the layers.
$(B)/nasw: $(B)/src/main.o $(B)/libui.a $(B)/libnwlua.a $(B)/libnw.a
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(UI_LIBS) $(LUA_LIBS) $(LIBS) -o $@
$(B)/tests/test_ui%: $(B)/tests/test_ui%.o $(SUPPORT) $(TERM_SUPPORT) $(B)/libui.a $(B)/libnw.a
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(UI_LIBS) -lvterm -lutil $$(pkg-config --libs check) $(LIBS) -o $@
$(B)/tests/test_lua%: $(B)/tests/test_lua%.o $(SUPPORT) $(B)/libnwlua.a $(B)/libnw.a
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(LUA_LIBS) $$(pkg-config --libs check) $(LIBS) -o $@
$(B)/tests/test_%: $(B)/tests/test_%.o $(SUPPORT) $(B)/libnw.a
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $$(pkg-config --libs check) $(LIBS) -o $@
$(B)/tests/bench: $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench_*.c))
$(B)/tests/bench $(B)/tests/accuracy $(B)/tests/onnx_copy $(B)/tests/onnx_thin: $(B)/tests/%: $(B)/tests/%.o \
        $(filter-out $(CHECK_SUPPORT),$(SUPPORT)) $(B)/libnwlua.a $(B)/libnw.a
	$(CC) $(CFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS) $(LUA_LIBS) $(LIBS) -o $@
fuzz-%: $(B)/libnw.a
	@mkdir -p $(B)/tests build/corpus/$*
	$(CC) $(CFLAGS) -fsanitize=fuzzer tests/fuzz_$*.c $< $(LIBS) -o $(B)/tests/fuzz_$*
	ASAN_OPTIONS=detect_leaks=1 $(B)/tests/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	    -rss_limit_mb=2048 build/corpus/$* $(wildcard tests/corpus/$*)

-include $(patsubst %.o,%.d,$(OBJ) $(UI_OBJ) $(LUA_OBJ)) $(wildcard $(B)/tests/*.d) $(B)/src/main.d
