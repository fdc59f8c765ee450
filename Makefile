# runbook
#
#   make run       set up what is missing, build, and run `daily-health` against a lab of real coturn servers
#   make test      set up what is missing, build optimised, and run every test against the `runbook` that `make install`
#                  installs; names the skipped ones, prints the summary last
#   make build     build the executable for development: .build/debug/runbook
#   make install   build it for release; install it with manual page and completions (PREFIX=/usr/local DESTDIR=)
#   make dist      make what is handed out, in dist: an archive of the sources and a Debian package
#   make lint      swift format and shellcheck, in their strict modes
#   make format    put every source file into the form that lint asks for
#   make docs      write the generated references anew
#   make bench     measure start-up, clean build time and the benchmarks, beside their goals
#   make fuzz      let the fuzz tests run for FUZZ_SECONDS=60 each
#   make clean     remove everything built
#
# `run` and `test` are all that a fresh Debian 12 or Ubuntu machine with Swift needs.

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
TEST_FLAGS ?=

SWIFT_SOURCES := Package.swift Sources Tests
# Every import must be of a target that the manifest names as a dependency: the law of who may import whom.
CHECKS := --explicit-target-dependency-import-check error
RUNBOOK := .build/debug/runbook

.PHONY: help run test build install dist lint format docs bench fuzz clean

help:
	@sed -n '/^#   /s/^#   //p' Makefile

# A debug build: it is ready sooner on a fresh machine.
run:
	@scripts/setup run
	swift build --product runbook $(CHECKS)
	@echo
	@$(RUNBOOK) run daily-health --lab

test:
	@scripts/setup test
	@scripts/test $(TEST_FLAGS)

build:
	@scripts/setup
	swift build --product runbook $(CHECKS)

install:
	@scripts/setup
	@scripts/build-release
	@scripts/install "$(DESTDIR)$(PREFIX)"

dist:
	@scripts/setup dist
	@scripts/build-release
	@scripts/package

lint:
	@scripts/setup lint
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	shellcheck scripts/* .ci/run
	scripts/changelog check

format:
	@scripts/setup
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

docs: build
	@mkdir -p docs/reference
	$(RUNBOOK) modules --format markdown > docs/reference/modules.md
	RUNBOOK_WRITE_DOCS=1 swift test --disable-xctest $(CHECKS) --filter 'JournalReferenceTests|ReportsDocumentTests|DocumentKeyTests|MessageCatalogueTests'

bench:
	@scripts/setup bench
	@scripts/bench

fuzz:
	@scripts/setup test
	RUNBOOK_FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/test --filter Fuzz

clean:
	rm -rf .build .build-release dist
