# The front door. `make run` and `make test` are all the set-up that a fresh checkout on Debian 12 needs, as root.

CARGO := scripts/with-rust cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
DEMO := $(TARGET)/demo/ls.json
PREFIX ?= /usr
DESTDIR ?=

.PHONY: help deps deps-vendored build run documents install uninstall test test-full miri sanitize test-kernels test-kernels-quick soak fuzz lint bench bench-quick clean

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

deps: ## Install what building, testing and linting needs and is missing (Debian, Ubuntu, Fedora).
	@scripts/deps.sh

deps-vendored: ## Also what `--features vendored` (static libbpf, libelf and zlib) needs.
	@scripts/deps.sh build vendored

build: ## Build the release binaries.
	@scripts/deps.sh build
	$(CARGO) build --release --locked -p seccomp-trace -p oci-hook

run: build ## Record `ls /` into a profile, and print it with what it means.
	@scripts/demo.sh $(TARGET)/release/seccomp-trace $(DEMO)

documents: build ## Write docs/options.md anew, and manual pages and completions below the build's folder.
	@$(TARGET)/release/seccomp-trace documents $(TARGET)/documents
	@cp $(TARGET)/documents/options.md docs/options.md

install: build ## Install the binaries, hook files, manual pages and completions: [PREFIX=/usr] [DESTDIR=].
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh install $(TARGET)/release

uninstall: ## Finish what is being traced, and remove what was installed.
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh uninstall

test: ## Run the tests; those that need root and BPF too, where both are there.
	@scripts/test.sh

test-full: miri sanitize ## The same with larger counts, and with what looks for undefined behaviour.
	@SECCOMP_TRACE_TEST_FULL=1 scripts/test.sh

miri: ## Run the tests of what calls no foreign code in Miri, where a nightly toolchain has it.
	@scripts/miri.sh

sanitize: ## Run the tests of what does, built for AddressSanitizer.
	@scripts/sanitize.sh

test-kernels: ## Test on other kernels, in virtual machines; downloads qemu and Debian's kernels.
	@tests/kernels/run.sh full

test-kernels-quick: ## The same with the oldest kernel and the newest.
	@tests/kernels/run.sh quick

soak: build ## Start, kill and stop commands, tracers, hooks and containers at random: [SECONDS=300], then says what was lost or left.
	@scripts/deps.sh build test
	SECCOMP_TRACE_SOAK_SECONDS=$(or $(SECONDS),300) SECCOMP_TRACE_BIN=$(abspath $(TARGET))/release/seccomp-trace \
		SECCOMP_TRACE_HOOK_BIN=$(abspath $(TARGET))/release/oci-seccomp-bpf-hook \
		$(CARGO) test --locked -p seccomp-trace-tests --test soak -- --nocapture

fuzz: ## Run every fuzz target: [SECONDS=20] each. With cargo-fuzz where it works.
	@scripts/deps.sh build
	@scripts/fuzz.sh $(or $(SECONDS),20)

lint: ## Run every linter.
	@scripts/lint.sh

bench: build ## Answer every question of the benchmarks in docs/PERFORMANCE.md: about a quarter of an hour, on a quiet machine.
	@scripts/deps.sh build test bench
	$(CARGO) bench --locked -p seccomp-trace-benches --bench report -- --write $(CURDIR)/docs/PERFORMANCE.md

bench-quick: build ## The same on a small scale, printed: shows that everything works; the numbers mean nothing.
	$(CARGO) bench --locked -p seccomp-trace-benches --bench report -- --quick

clean: ## Remove what was built.
	$(CARGO) clean
