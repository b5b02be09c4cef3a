# Builds cbfuzz, its wrong implementations and its tests. `make help` lists the targets.

CC := $(firstword $(foreach c,$(filter %clang clang-%,$(CC)) clang clang-14 clang-15 clang-16 clang-17 \
        clang-18 clang-19,$(shell command -v $(c) 2>/dev/null)))
BUILD := build
ifeq ($(CC),)
$(error cbfuzz needs clang: apt-get install clang libclang-rt-14-dev, or run scripts/quickstart)
endif

# libFuzzer without its main: its driver is called by cbfuzz.
FUZZER := $(shell $(CC) -print-file-name=libclang_rt.fuzzer_no_main-x86_64.a)
RUNTIMES := $(shell $(CC) -print-runtime-dir)
ifeq ($(wildcard $(FUZZER)),)
FUZZER := $(RUNTIMES)/libclang_rt.fuzzer_no_main-x86_64.a
endif

COMMON := -std=gnu11 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -MMD -MP -Icbfuzz -Ispec
NT := -fshort-wchar -fms-extensions -Wno-microsoft -Wno-multichar -Icbfuzz/nt/include

# Who is instrumented how: the implementation for coverage and memory errors, the
# environment for memory errors (it works on the implementation's memory), the
# harness, the machine and the rest for nothing: their speed is the tool's.
PLAIN_FLAGS := $(COMMON) -O3 -fomit-frame-pointer
NT_FLAGS := $(COMMON) $(NT) -O2 -fsanitize=address
HARNESS_FLAGS := $(COMMON) $(NT) -O3 -I/usr/include/libxml2
CALLBACK_FLAGS := $(COMMON) $(NT) -O2 -fsanitize=address -fsanitize=fuzzer-no-link -fvisibility=hidden \
                  -ftrivial-auto-var-init=pattern -include cbfuzz/harness/builtin_sections.h
LDFLAGS := -fsanitize=address -rdynamic
LDLIBS := $(FUZZER) -lstdc++ -ljansson -lxml2 -ldl -lm -lpthread

# What every statement goes through is compiled as one unit, so that the compiler sees
# through its calls. That is why names of static functions differ between these files.
LOOP := $(wildcard spec/*.c cbfuzz/generate/*.c) $(addprefix cbfuzz/,program/program.c \
        program/program_edit.c program/journal.c program/dictionary.c harness/executor.c \
        harness/real.c harness/session.c fuzz/worker.c)
PLAIN := $(filter-out $(LOOP),$(wildcard cbfuzz/program/*.c))
HARNESS := $(filter-out $(LOOP),$(wildcard cbfuzz/main.c cbfuzz/cli/*.c cbfuzz/fuzz/*.c cbfuzz/conform/*.c \
           cbfuzz/report/*.c cbfuzz/harness/*.c))
ENVIRONMENT := $(wildcard cbfuzz/nt/*.c)
CALLBACK := $(wildcard cbfuzz/callback/*.c)

objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))
OBJECTS := $(BUILD)/obj/loop.o $(call objects,obj,$(PLAIN) $(HARNESS) $(ENVIRONMENT) $(CALLBACK))

.DEFAULT_GOAL := all
all: $(BUILD)/cbfuzz $(BUILD)/libkernel.a ## build/cbfuzz

$(BUILD)/cbfuzz: $(OBJECTS)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
	@echo "built $@"

# What programs of emit-c stand on: the environment and the built-in implementation.
$(BUILD)/libkernel.a: $(call objects,obj,$(ENVIRONMENT) $(CALLBACK))
	@rm -f $@ && ar rcs $@ $^

$(call objects,obj,$(PLAIN)): FLAGS := $(PLAIN_FLAGS)
$(call objects,obj,$(HARNESS)): FLAGS := $(HARNESS_FLAGS)
$(call objects,obj,$(ENVIRONMENT)): FLAGS := $(NT_FLAGS)
$(call objects,obj,$(CALLBACK)): FLAGS := $(CALLBACK_FLAGS)
$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c -o $@ $<

$(BUILD)/obj/loop.o: $(LOOP) Makefile
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(LOOP) | $(CC) $(HARNESS_FLAGS) -fomit-frame-pointer -D_GNU_SOURCE= -I. -x c -c -o $@ -

# These have texts of other files in them.
$(BUILD)/obj/cbfuzz/cli/new_impl.o: $(wildcard cbfuzz/cli/skeleton/*)
$(BUILD)/obj/cbfuzz/report/emit.o: $(wildcard cbfuzz/report/standalone/*)

# Wrong implementations: one shared object for each bug, and one without any.
WRONG_SOURCES := $(wildcard conformance/implementations/wrong/*.c)
WRONG_NAMES := none $(shell awk -F'[^A-Za-z_0-9]' '/^WRONG/ {print $$2}' conformance/implementations/wrong/bugs.def)
wrong: $(WRONG_NAMES:%=$(BUILD)/impl/wrong/%.so) ## every wrong implementation, build/impl/wrong/*.so
$(BUILD)/impl/wrong/%.so: $(WRONG_SOURCES) $(wildcard conformance/implementations/wrong/*.h) \
                          conformance/implementations/wrong/bugs.def scripts/build-impl \
                          $(wildcard cbfuzz/nt/include/*.h)
	@scripts/build-impl -o $@ $(WRONG_SOURCES) -- -DBUG=BUG_$* >/dev/null

# Unit programs, with every part of ours under both sanitizers; and fuzz targets of our parsers.
TEST_FLAGS := $(COMMON) -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
ENV_FLAGS := $(COMMON) $(NT) -O1 -fsanitize=address
PROGRAM_TESTED := $(call objects,test,$(wildcard cbfuzz/program/*.c))
MACHINE_TESTED := $(call objects,test,$(wildcard spec/*.c))
GENERATOR_TESTED := $(MACHINE_TESTED) $(call objects,test,$(wildcard cbfuzz/generate/*.c) \
        $(addprefix cbfuzz/harness/,executor.c expectation.c trace.c verdict.c))
# What was never set is no statement by chance.
$(BUILD)/test/cbfuzz/generate/%.o: TEST_FLAGS += -ftrivial-auto-var-init=pattern
UNITS := environment_test executive_test endurance_test callback_test program_test machine_test generate_test \
         fuzz_script fuzz_bytes
unit: $(UNITS:%=$(BUILD)/test/%) ## the unit programs and our parsers' fuzz targets, build/test/*

$(BUILD)/test/cbfuzz/nt/%.o: cbfuzz/nt/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(ENV_FLAGS) -c -o $@ $<
$(BUILD)/test/cbfuzz/callback/%.o: cbfuzz/callback/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(ENV_FLAGS) -c -o $@ $<
$(addprefix $(BUILD)/test/conformance/tests/unit/,environment_test.o executive_test.o endurance_test.o callback_test.o): \
        $(BUILD)/test/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(ENV_FLAGS) -c -o $@ $<
$(BUILD)/test/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(TEST_FLAGS) $(if $(filter cbfuzz/program/% conformance/tests/fuzz/%,$<),-fsanitize=fuzzer-no-link) -c -o $@ $<
$(BUILD)/test/environment_test $(BUILD)/test/executive_test $(BUILD)/test/endurance_test: $(BUILD)/test/%: \
        $(call objects,test,$(ENVIRONMENT)) $(BUILD)/test/conformance/tests/unit/%.o
	@$(CC) -fsanitize=address -o $@ $^
$(BUILD)/test/callback_test: $(call objects,test,$(ENVIRONMENT) $(CALLBACK) conformance/tests/unit/callback_test.c)
	@$(CC) -fsanitize=address -o $@ $^
$(BUILD)/test/program_test: $(PROGRAM_TESTED) $(call objects,test,conformance/tests/unit/program_test.c)
	@$(CC) -fsanitize=address,undefined,fuzzer-no-link -o $@ $^
$(BUILD)/test/machine_test: $(MACHINE_TESTED) $(call objects,test,conformance/tests/unit/machine_test.c)
	@$(CC) -fsanitize=address,undefined -o $@ $^
$(BUILD)/test/generate_test: $(PROGRAM_TESTED) $(GENERATOR_TESTED) $(call objects,test,conformance/tests/unit/generate_test.c)
	@$(CC) -fsanitize=address,undefined,fuzzer-no-link -o $@ $^
$(BUILD)/test/fuzz_%: $(PROGRAM_TESTED) $(BUILD)/test/conformance/tests/fuzz/fuzz_%.o
	@$(CC) -fsanitize=address,undefined,fuzzer -o $@ $^

# Every day.
# One process a processor, where pytest has xdist.
test: all wrong unit ## all tests (pytest)
	@scripts/python -m pytest -q conformance $$(scripts/python -c 'import xdist' 2>/dev/null && \
		echo --numprocesses=$$(nproc) --maxprocesses=8)

check: all unit ## format, directions, unit programs, corpus: in under two minutes
	@scripts/check

fuzz: all ## fuzz the built-in implementation for a minute, corpus in build/corpus
	@mkdir -p $(BUILD)/corpus
	@$(BUILD)/cbfuzz fuzz --seconds 60 $(BUILD)/corpus corpus/seed corpus/regression

BENCH_PLUGINS := $(patsubst %,$(BUILD)/bench/%.so,plugin globals_1 globals_1024 globals_65536)
bench: all $(patsubst %,$(BUILD)/bench/%,empty bare rewind) $(BENCH_PLUGINS) ## speed, as ratios measured in one run; build/bench.json
	@scripts/bench

$(BUILD)/bench/empty: conformance/bench/empty.c
	@mkdir -p $(@D)
	@$(CC) -O2 -g -fsanitize=address,fuzzer -o $@ $<

# The built-in implementation as a shared object, and one with so many bytes of globals.
$(BUILD)/bench/plugin.so: $(CALLBACK) scripts/build-impl
	@scripts/build-impl -o $@ $(CALLBACK) >/dev/null
$(BUILD)/bench/globals_%.so: conformance/bench/globals.c scripts/build-impl
	@scripts/build-impl -o $@ $< -- -DGLOBALS=$* >/dev/null

$(BUILD)/bench/bare $(BUILD)/bench/rewind: $(BUILD)/bench/%: conformance/bench/%.c $(filter-out %/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	@$(CC) $(HARNESS_FLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

matrix: all ## write the traceability matrix into spec/README.md
	@sed '/^<!-- matrix -->/q' spec/README.md >$(BUILD)/README.md
	@$(BUILD)/cbfuzz clauses --matrix --markdown >>$(BUILD)/README.md
	@sed -n '/^<!-- end of matrix -->/,$$p' spec/README.md >>$(BUILD)/README.md
	@cp $(BUILD)/README.md spec/README.md

mutants: all wrong unit ## who notices changes of the built-in implementation? minutes; build/mutants.json
	@scripts/mutants

format: ## clang-format all sources
	@clang-format -i $(shell git ls-files '*.c' '*.h')

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

.SECONDARY: # objects are kept
.PHONY: all wrong unit test check fuzz bench matrix mutants format clean help
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
