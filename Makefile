# What a developer types. `make test` is the whole of the tests; `.ci/run` calls it after the
# checks that are cheaper.

SHELL = /bin/sh
CARGO ?= cargo
# One feature set for tests and lints, so that nothing is compiled twice.
FEATURES = --features fault-points
# Tests mostly wait for a daemon or a publisher, so more of them than processors may run at once.
TEST_THREADS ?= 8

.PHONY: help tools test bench fmt lint docs

help:
	@echo "make test    every test (CONFLICTWIRE_TEST_ROUNDS=20 kills the daemon more often)"
	@echo "make bench   the figures of README.md, measured here"
	@echo "make fmt     format"
	@echo "make lint    formatting and clippy, warnings are errors"
	@echo "make docs    API documentation, warnings are errors"

# The build compiles SQLite, librdkafka and OpenSSL from source: these are all it needs.
tools:
	@missing=; for tool in $(firstword $(CARGO)) cc c++ make perl; do \
		command -v $$tool >/dev/null 2>&1 || missing="$$missing $$tool"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "missing:$$missing" >&2; \
		echo "on Debian: apt-get install build-essential perl; cargo from https://rustup.rs" >&2; \
		exit 1; \
	fi

# Some tests want a file system of their own: they are run where one may be mounted.
MAY_MOUNT = unshare --mount mount -t tmpfs tmpfs /mnt 2>/dev/null

test: tools
	@ignored=--include-ignored; \
	$(MAY_MOUNT) || { ignored=; echo "left out: tests that mount a small disk (not allowed here)"; }; \
	log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	{ $(CARGO) test --locked $(FEATURES) --no-fail-fast -- $$ignored --test-threads=$(TEST_THREADS) 2>&1; \
	  echo $$? >"$$log.code"; } | tee "$$log"; \
	code=$$(cat "$$log.code"); rm -f "$$log.code"; \
	awk '/^test result:/ { passed += $$4; failed += $$6; ignored += $$8 } \
	     END { printf "%d tests passed, %d failed, %d ignored\n", passed, failed, ignored; \
	           exit passed == 0 }' "$$log" || code=1; \
	exit $$code

bench: tools
	$(CARGO) bench --locked --bench figures

fmt:
	$(CARGO) tidy

lint: tools
	$(CARGO) tidy --check
	$(CARGO) clippy --locked --all-targets $(FEATURES) -- -D warnings

docs: tools
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --no-deps --document-private-items --locked $(FEATURES)
