# The front door. `make run` and `make test` are all the set-up that a fresh checkout on Debian 12 needs, as root.

CARGO := scripts/with-rust cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
DEMO := $(TARGET)/demo/ls.json
PREFIX ?= /usr
DESTDIR ?=

.PHONY: help deps deps-vendored build run documents install uninstall test test-full test-kernels test-kernels-quick fuzz lint bench clean

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

deps: ## Install what building, testing and linting needs and is missing (Debian, Ubuntu, Fedora).
	@scripts/deps.sh

deps-vendored: ## Also what `--features vendored` (static libbpf, libelf and zlib) needs.
	@scripts/deps.sh build vendored

build: ## Build the release binaries.
	@scripts/deps.sh build
	$(CARGO) build --release --bins --locked

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

test-full: ## The same with larger counts.
	@SECCOMP_TRACE_TEST_FULL=1 scripts/test.sh

test-kernels: ## Test on other kernels, in virtual machines; installs qemu, downloads Debian's kernels.
	@tests/kernels/run.sh full

test-kernels-quick: ## The same with the oldest and the newest kernel alone.
	@tests/kernels/run.sh quick

fuzz: ## Run every fuzz target: [SECONDS=20] each. With cargo-fuzz where it works.
	@scripts/deps.sh build
	@scripts/fuzz.sh $(or $(SECONDS),20)

lint: ## Run every linter.
	@scripts/lint.sh

bench: build ## Run the benchmarks: each prints its question and ratios measured in one run.
	$(CARGO) bench --locked -p seccomp-trace-benches

clean: ## Remove what was built.
	$(CARGO) clean
