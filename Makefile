# relaylens. `make help` lists what there is; `make run` and `make test` need
# nothing but Go, make and, for the whole of the tests, a Debian machine and root.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS   += --no-print-directory

GO       ?= go
BIN      := $(CURDIR)/bin
FUZZTIME ?= $(if $(CI),200x,10m)
BENCH    ?= .
COUNT    ?= 6

# The tools, each at one version. They come through the module proxy.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOTESTSUM     := gotest.tools/gotestsum@v1.13.0
NATS_SERVER   := github.com/nats-io/nats-server/v2@v2.15.2
BENCHSTAT     := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

VERSION  ?= $(shell git describe --tags --match 'v*' --always --dirty 2>/dev/null || echo devel)
LDFLAGS  := -s -w -X main.version=$(VERSION:v%=%)

# What `make test` runs; each step alone is `make STEP`.
STEPS := fmt-check vet lint race fuzz docs-check systemd-check e2e e2e-alerting faults-short fleet-faults-short

# What a run could not do is written here, one line each. In CI it fails the run.
SKIPS := $(BIN)/skips

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/relaylens, without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/relaylens ./cmd/relaylens

.PHONY: run
run: build ## follow a sample mail server for a while; ctrl-c ends it
	@CGO_ENABLED=0 $(GO) build -o $(BIN)/sample ./internal/sample
	@exec $(BIN)/sample -relaylens $(BIN)/relaylens -sessions testdata/sample

.PHONY: test
test: ## everything that CI runs
	@mkdir -p $(BIN) && : > $(SKIPS)
	@.ci/install $(BIN)
	@failed=(); for step in $(STEPS); do \
		start=$$SECONDS; echo "== $$step"; \
		$(MAKE) $$step FUZZTIME=$${FUZZTIME:-200x} || failed+=($$step); \
		echo "== $$step took $$((SECONDS - start)) s"; \
	done; \
	.ci/skips $(BIN) || failed+=(skips); \
	if (($${#failed[@]})); then echo "FAILED: $${failed[*]}"; exit 1; fi

.PHONY: unit
unit: ## the unit tests alone, quickly
	$(GO) test ./...

.PHONY: race
race: $(BIN)/gotestsum ## the unit tests with the race detector, in random order
	$(BIN)/gotestsum --format standard-quiet --jsonfile $(BIN)/unit.json -- -race -shuffle=on -timeout 20m ./...
	TZ=Pacific/Chatham $(GO) test . ./parsers/...

.PHONY: fmt
fmt: ## format the code
	gofmt -s -w $$(git ls-files '*.go')

.PHONY: fmt-check
fmt-check:
	@unformatted=$$(gofmt -s -l $$(git ls-files '*.go')); \
	[[ -z $$unformatted ]] || { echo "run make fmt:"; echo "$$unformatted"; exit 1; }

.PHONY: vet
vet: ## go vet, with the e2e tests, on 32 bits what counts and measures, and on FreeBSD what asks the system
	$(GO) vet -tags e2e ./...
	CGO_ENABLED=0 GOARCH=386 $(GO) vet . ./parsers/... ./classifier/... ./internal/... ./tailer/...
	CGO_ENABLED=0 GOOS=freebsd $(GO) vet ./tailer/... ./internal/resident/...

.PHONY: lint
lint: $(BIN)/golangci-lint ## golangci-lint, with .golangci.yml
	$(BIN)/golangci-lint run ./...

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10m)
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/func //' | sort | \
	while IFS=: read -r file name; do \
		echo "-- $$name"; \
		$(GO) test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) "$$(dirname $$file)" < /dev/null; \
	done

.PHONY: bench
bench: build ## whole runs next to grep, pflogsumm and others, into docs/performance.md: SIZE=1GB ROUNDS=5
	$(GO) run ./internal/bench -relaylens $(BIN)/relaylens -peers $(BIN)/debian -size $(or $(SIZE),1GB) -rounds $(or $(ROUNDS),5) \
		$(if $(filter-out 1GB,$(SIZE)),,-doc docs/performance.md)

.PHONY: bench-peers
bench-peers: ## unpack Debian's pflogsumm, eximstats and mtail for make bench, without installing them
	@mkdir -p $(BIN)/debian $(BIN)/bench-packages
	cd $(BIN)/bench-packages && apt-get download pflogsumm libdate-calc-perl libcarp-clan-perl libbit-vector-perl exim4-base mtail
	for package in $(BIN)/bench-packages/*.deb; do dpkg-deb -x $$package $(BIN)/debian; done

.PHONY: gobench
gobench: ## the benchmarks of the packages: BENCH=name COUNT=6
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem -count=$(COUNT) ./...

.PHONY: benchcmp
benchcmp: $(BIN)/benchstat ## the benchmarks of the packages, compared with the last release
	@tag=$$(git describe --tags --abbrev=0 --match 'v*' 2> /dev/null) || { echo "there is no release to compare with"; exit 0; }; \
	old=$$(mktemp -d); trap 'rm -rf $$old' EXIT; git archive $$tag | tar -x -C $$old; \
	(cd $$old && $(GO) test -run='^$$' -bench='$(BENCH)' -benchmem -count=$(COUNT) ./...) > $(BIN)/bench.old || true; \
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem -count=$(COUNT) ./... > $(BIN)/bench.new; \
	$(BIN)/benchstat $$tag=$(BIN)/bench.old now=$(BIN)/bench.new

.PHONY: golden
golden: ## write the expected results of the corpora anew; read the diff before you commit it
	@grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -r -n1 dirname | sort -u | \
	while read -r dir; do $(GO) test "$$dir" -update < /dev/null; done
	git --no-pager diff --stat -- testdata '*/testdata'

.PHONY: docs
docs: ## write the pages that come from the code
	$(GO) generate ./...

.PHONY: docs-check
docs-check: docs
	git --no-pager diff --exit-code -- docs dashboards

.PHONY: systemd-check
systemd-check: build ## verify the unit and its hardening
	@systemd/check.sh $(BIN)/relaylens || { \
		[[ $$? == 77 ]] && echo "systemd/check.sh: systemd is not installed" >> $(SKIPS); }

.PHONY: e2e
e2e: build $(BIN)/gotestsum ## against real servers, in namespaces of their own (root, Debian)
	PATH="$(BIN)/debian/usr/bin:$(BIN)/debian/usr/sbin:$$PATH" E2E_RELAYLENS=$(BIN)/relaylens \
	$(BIN)/gotestsum --format standard-verbose --jsonfile $(BIN)/e2e.json -- -tags e2e -count=1 -timeout 10m ./e2e ./e2e/page

.PHONY: e2e-alerting
e2e-alerting: build $(BIN)/gotestsum ## against a real Prometheus and Alertmanager
	PATH="$(BIN)/debian/usr/bin:$$PATH" E2E_RELAYLENS=$(BIN)/relaylens \
	$(BIN)/gotestsum --format standard-verbose --jsonfile $(BIN)/alerting.json -- -tags e2e -count=1 -timeout 10m ./e2e/alerting

.PHONY: dashboard-check
dashboard-check: ## hold the dashboard against Grafana's types (npm)
	@mkdir -p $(BIN)/dashboard-check && cp dashboards/check/* $(BIN)/dashboard-check
	@cd $(BIN)/dashboard-check && npm ci --silent --ignore-scripts --no-audit --no-fund && \
	DASHBOARD=$(CURDIR)/dashboards/relaylens.json npm run --silent check

.PHONY: stack
stack: build ## show it with Prometheus, Alertmanager and a pager; ctrl-c ends it
	@.ci/prometheus $(BIN)
	@CGO_ENABLED=0 $(GO) build -o $(BIN)/stack ./internal/stack/show
	@PATH="$(BIN)/debian/usr/bin:$$PATH"; exec $(BIN)/stack -relaylens $(BIN)/relaylens $(if $(FOR),-for $(FOR))

.PHONY: faults
faults: build ## kill, rotate, fill the disk: ROUNDS=500 rounds from SEED on (root, strace)
	E2E_RELAYLENS=$(BIN)/relaylens $(GO) test -tags e2e -count=1 -timeout 2h -v -run 'TestRounds' ./e2e/faults \
		-seed $(or $(SEED),$(shell date +%s)) -rounds $(or $(ROUNDS),500)

.PHONY: faults-short
faults-short: build $(BIN)/gotestsum
	E2E_RELAYLENS=$(BIN)/relaylens \
	$(BIN)/gotestsum --format standard-verbose --jsonfile $(BIN)/faults.json -- -tags e2e -count=1 -timeout 10m ./e2e/faults -rounds 40

.PHONY: measure
measure: build ## time the daemon from outside: latency, backlog, idle, start; takes some minutes
	E2E_RELAYLENS=$(BIN)/relaylens $(GO) test -tags e2e -count=1 -timeout 2h -run '^$$' -bench='$(BENCH)' -benchtime=1x ./e2e/measure

.PHONY: simulate
simulate: ## find spikes in MONTHS=24 made-up months from SEED on, of STYLE= plain, sessions or nets, beside other rules
	$(GO) test ./internal/spike -count=1 -timeout 4h -v -run 'TestMonths|TestFalsePageRates' \
		-months $(or $(MONTHS),24) -seed $(or $(SEED),1000) -style '$(filter-out plain,$(STYLE))' -chatty

.PHONY: fleet
fleet: build $(BIN)/nats-server ## a fleet on this machine: three NATS servers, shippers, readers; ctrl-c ends it
	@CGO_ENABLED=0 $(GO) build -o $(BIN)/fleet ./internal/fleet
	@exec $(BIN)/fleet -relaylens $(BIN)/relaylens -nats-server $(BIN)/nats-server -shippers $(or $(SHIPPERS),6) -rate $(or $(RATE),20)

.PHONY: fleet-faults
fleet-faults: build $(BIN)/nats-server ## break a fleet while events flow: SHIPPERS=50 EVENTS=1000000 ROUNDS=5 SEED=1 (root)
	PATH="$(BIN)/debian/usr/bin:$$PATH" E2E_RELAYLENS=$(BIN)/relaylens E2E_NATS_SERVER=$(BIN)/nats-server $(GO) test -tags e2e -count=1 -timeout 2h -v ./e2e/fleet \
		-shippers $(or $(SHIPPERS),50) -events $(or $(EVENTS),1000000) -rounds $(or $(ROUNDS),5) -seed $(or $(SEED),1) -speed $(or $(SPEED),200000)

.PHONY: fleet-faults-short
fleet-faults-short: build $(BIN)/nats-server $(BIN)/gotestsum
	PATH="$(BIN)/debian/usr/bin:$$PATH" E2E_RELAYLENS=$(BIN)/relaylens E2E_NATS_SERVER=$(BIN)/nats-server \
	$(BIN)/gotestsum --format standard-verbose --jsonfile $(BIN)/fleet.json -- -tags e2e -count=1 -timeout 10m ./e2e/fleet

.PHONY: record
record: ## have the real servers write testdata/corpus anew
	$(GO) test -tags e2e -count=1 -timeout 10m -run TestRecord ./e2e -record $(CURDIR)/testdata/corpus

$(BIN)/golangci-lint: Makefile
	GOBIN=$(BIN) GOFLAGS= $(GO) install $(GOLANGCI_LINT)

$(BIN)/nats-server: Makefile
	GOBIN=$(BIN) GOFLAGS= $(GO) install $(NATS_SERVER)

$(BIN)/gotestsum: Makefile
	GOBIN=$(BIN) GOFLAGS= $(GO) install $(GOTESTSUM)

$(BIN)/benchstat: Makefile
	GOBIN=$(BIN) GOFLAGS= $(GO) install $(BENCHSTAT)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)
