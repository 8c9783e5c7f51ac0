# What a developer types. `make test` is the whole of the tests; `.ci/run` calls it after the
# checks that are cheaper.

SHELL = /bin/sh
CARGO ?= cargo
# One feature set for tests and lints, so that nothing is compiled twice.
FEATURES = --features fault-points
# Tests mostly wait for a daemon or a publisher, so more of them than processors may run at once.
TEST_THREADS ?= 8

# Those of Kafka share two or three brokers with what they test: fewer at a time.
KAFKA_TEST_THREADS ?= 4
# How often each fault happens in a test on Kafka, unless CONFLICTWIRE_TEST_ROUNDS says.
KAFKA_TEST_ROUNDS ?= 3
# How often each fault of `make soak` strikes.
ROUNDS ?= 10
# How long `make hostile` looks on, and `make fuzz` at each target.
MINUTES ?= 10
# How many histories `make sim` lives through, from FIRST on.
SEEDS ?= 100000
FIRST ?= 0
# What `make fuzz` runs: names of src/fuzz.rs; empty for all.
TARGET ?=
SOAK_TESTS ?= kafka::exactly_once kafka::replicas kafka::brokers
# Folder with labelled texts, for `make eval` and `make train`.
DATA ?=
# For which machines `make dist` builds.
ARCHES ?= amd64 arm64
# What of `make bench` runs: empty for all, "only" or "none" of what needs Kafka, or names of parts.
KAFKA ?=
# Feeds of `make bench-polling`, and the minutes between two polls of each.
FEEDS ?= 100000
INTERVAL ?= 15

.PHONY: help tools release dist test test-packages test-reproducible test-upgrade test-alerts test-traces test-deploy test-cluster test-dashboard test-consumers test-websub sim sim-breaks soak hostile fuzz bench bench-polling faults eval train fmt lint docs deny advisories newer

help:
	@echo "make test    every test (CONFLICTWIRE_TEST_ROUNDS=20 kills the daemon more often)"
	@echo "make test-alerts  the rules of deploy/prometheus, by Prometheus' own promtool; part of make test"
	@echo "make test-traces  the feature otlp, against a collector on loopback; builds the program with it first"
	@echo "make test-deploy  the files of deploy/kubernetes, by helm, kubeconform, kube-score and the program; no cluster"
	@echo "make test-cluster  the same files, applied to a real API server; builds that first, for a quarter of an hour"
	@echo "make test-dashboard  every query of deploy/grafana, by a Prometheus that scrapes daemons"
	@echo "make test-consumers  the samples of deploy/consumers, each against a real broker"
	@echo "make test-websub  push feeds against a WebSub hub that others wrote, installed by pip"
	@echo "make sim     SEEDS=100000 simulated histories of lanes, replicas and brokers (SEED=n tells one)"
	@echo "make sim-breaks  deliberate breaks of a lane, and within how many histories each is found"
	@echo "make soak    exactly once on Kafka, ROUNDS=10 of each fault, with a table of them"
	@echo "make hostile 32 hostile feeds and 8 honest ones under 2 GiB for MINUTES=10, with a table"
	@echo "make fuzz    libFuzzer at each of TARGET= (decode, guard, parse, ...; all) for MINUTES=10; no nightly needed"
	@echo "make bench   the figures of benches/README.md, measured here (KAFKA=only: those on Kafka; KAFKA=none: the rest)"
	@echo "make bench-polling  the daemon with FEEDS=100000 feeds, each asked every INTERVAL=15 minutes; then as fast as it can beside a bare client"
	@echo "make faults  DATA=folder of feeds: each broken in seventeen ways, and what is kept of it beside feedparser"
	@echo "make eval    DATA=folder how good the coder is, on labelled texts there and on tests/corpus"
	@echo "make train   the model of relevance anew, from tests/corpus (DATA= fits its base rate)"
	@echo "make release the binary that is released, target/released/conflictwire, and whether it is hardened"
	@echo "make dist    tarball, .deb and .rpm for ARCHES='amd64 arm64', what is inside, checksums, in target/dist"
	@echo "make test-packages  those installed, started, upgraded and removed in a clean Debian, as root"
	@echo "make test-reproducible  two builds of the last commit in two folders: the same binary and packages, byte for byte"
	@echo "make fmt     format"
	@echo "make lint    formatting and clippy, warnings are errors"
	@echo "make docs    API documentation, warnings are errors"
	@echo "make deny    the crates we are built from: licences, sources, duplicates"
	@echo "make advisories  known holes in them; needs the network"
	@echo "make newer   which libraries that read what peers send are not the newest; needs the network"

# Which tools of a build are missing.
tools:
	@.ci/tools $(firstword $(CARGO))

test: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" TEST_THREADS=$(TEST_THREADS) \
		KAFKA_TEST_THREADS=$(KAFKA_TEST_THREADS) KAFKA_TEST_ROUNDS=$(KAFKA_TEST_ROUNDS) \
		tests/run.sh

# Of a seed that failed: make sim SEED=17.
sim: tools
	CONFLICTWIRE_SIM_FIRST=$(FIRST) CONFLICTWIRE_SIM_SEEDS=$(SEEDS) $(if $(SEED),CONFLICTWIRE_SIM_SEED=$(SEED)) \
		$(CARGO) test --release --locked -p cw-decide --lib simulation::

sim-breaks: tools
	tests/simulation/breaks.sh

# What should wake somebody does, and a quiet hour does not.
test-alerts:
	@tests/prometheus/rules.sh

# Traces of polls: the one feature that `make test` leaves out, as it would compile the program and its tests twice.
test-traces: tools
	$(CARGO) test --locked $(FEATURES),otlp --lib --test it -p conflictwire -- traces

# What deploy/kubernetes renders to: that Kubernetes and the program take it. Builds its tools from Go
# modules the first time.
test-deploy: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" tests/deploy/run.sh

# That a real API server takes them, with its pod security admission. Builds it from Go modules the first time.
test-cluster: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" tests/deploy/cluster.sh

# Every query of the dashboard is asked of a real Prometheus.
test-dashboard: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" tests/prometheus/dashboard.sh

# What reads our topics, in the languages that are here.
test-consumers: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" tests/consumers/run.sh

test-websub: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" tests/websub/run.sh

# How good the coder is: rows of DATA, and the project's own corpus.
eval: tools
	$(CARGO) bench --locked -p cw-code --bench coder -- eval "$(DATA)" "$(CURDIR)/tests/corpus/en"
	benches/coder/beside.sh "$(DATA)"

# Breaks feeds as publishers do.
faults: tools
	$(CARGO) build --locked
	python3 -m venv target/bench/faults
	target/bench/faults/bin/pip -q install feedparser==6.0.14
	target/bench/faults/bin/python benches/faults/faults.py target/debug/conflictwire "$(DATA)"

# Writes config/model/en.gate. With DATA, the base rate is fitted on its headlines.
train: tools
	$(CARGO) bench --locked -p cw-code --bench coder -- train en "$(CURDIR)/tests/corpus/en" \
		"$(CURDIR)/config/model/en.gate" $(if $(DATA),"$(DATA)")

# Every fault on Kafka, ROUNDS times each, and a table of what came of them.
soak: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" KAFKA_TEST_THREADS=$(KAFKA_TEST_THREADS) \
		ROUNDS=$(ROUNDS) tests/kafka/soak.sh $(SOAK_TESTS)

# What SECURITY.md says of the binary, proved on it.
release: tools
	deploy/release.sh
	tests/release/hardened.sh

# An earlier build, REVISION or the last tag, and this one take turns on one ledger.
test-upgrade: tools
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" tests/upgrade/run.sh $(REVISION)

# What people install, in target/dist: tarball, .deb, .rpm for each of ARCHES, what is inside, checksums.
dist: tools
	ARCHES="$(ARCHES)" deploy/packages/dist.sh

# That the .deb and the .rpm install, run, upgrade and go in a clean Debian with its own systemd. As root.
test-packages:
	tests/packages/run.sh

# That nothing of the builder goes into binary and packages. Two release builds, from nothing.
test-reproducible: tools
	@tests/packages/reproducible.sh

# Optimised, as a released binary is: how late a poll is depends on how fast documents are read.
hostile: tools
	$(CARGO) build --locked --release --bin conflictwire
	CONFLICTWIRE_TEST_BINARY=target/release/conflictwire CONFLICTWIRE_TEST_MINUTES=$(MINUTES) \
		$(CARGO) test --locked $(FEATURES) --test it -- --ignored hostile:: --nocapture

# A short pass over the same targets, without libFuzzer, is part of `make test` (tests/it/fuzz.rs).
fuzz: tools
	tests/fuzz/run.sh $(MINUTES) $(TARGET)

bench: tools
	$(if $(filter none,$(KAFKA)),,tests/kafka/fetch.sh)
	CONFLICTWIRE_BENCH_KAFKA=$(KAFKA) $(CARGO) bench --locked --bench figures

bench-polling: tools
	CONFLICTWIRE_BENCH_FEEDS=$(FEEDS) CONFLICTWIRE_BENCH_MINUTES=$(INTERVAL) \
		$(CARGO) bench --locked --bench figures -- polling

fmt:
	$(CARGO) tidy

lint: tools
	$(CARGO) tidy --check
	$(CARGO) clippy --locked --all-targets $(FEATURES) -- -D warnings
	$(CARGO) clippy --locked --all-targets $(FEATURES),otlp -p conflictwire -- -D warnings

docs: tools
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --no-deps --document-private-items --locked $(FEATURES)

# The crates we are built from, by .deny.toml.
deny:
	.ci/deny bans licenses sources

# A database of today decides, not the change that is looked at: so no part of .ci/run.
advisories:
	.ci/deny advisories

newer:
	.ci/newer
