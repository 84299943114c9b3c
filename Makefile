# The words that people and CI use. `make test` is all that a change must pass.
GO      ?= go
PACKAGE ?= ./...
LINT    ?= v2.15.0
export CGO_ENABLED ?= 1

.PHONY: run build test rights race lint generate verify bench bench-large fuzz e2e kill peers conformance clean

run: build ## Build and start on https://localhost:8443, data in ./data
	./bin/limen serve --dev

build:
	$(GO) build -trimpath -o bin/limen ./cmd/limen

test: build ## Everything a change must pass, on SQLite and on a PostgreSQL of its own
	GO=$(GO) test/run $(PACKAGE)

rights: ## Ten minutes of trying, by every operation, what limited administrators must not come by
	$(GO) test ./internal/app -run RaisesRights -rapid.checks 20000 -timeout 10m

race: ## The same with the race detector
	GO=$(GO) TESTFLAGS=-race test/run $(PACKAGE)

lint: ## Formatting, vet and the configured linters
	test -z "$$(gofmt -l cmd internal test bench)" || { gofmt -l cmd internal test bench; exit 1; }
	$(GO) vet ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT) run ./...

generate: ## API document, API pages, rules and contract state, from the registry of operations
	$(GO) generate ./internal/gen

verify: generate lint test ## What CI checks: nothing generated differs, all is clean, all tests pass
	git diff --exit-code -- docs internal/gen

bench: build ## Tables of what was measured beside its limit in the same run
	GO=$(GO) bench/run

LARGE ?= /tmp/limen-bench-large
bench-large: build ## The same for a million people, 10,000 roles and 20,000 tenants; made once in LARGE, 3 GB
	GO=$(GO) bench/run -large $(LARGE)

fuzz: ## Each fuzz target for a minute
	test/fuzz 60s

e2e: ## The real binary over HTTPS, on both engines
	GO=$(GO) test/run ./test/e2e

kill: ## Kill the program under load, during imports, recomputations and the issue of tokens, and PostgreSQL beneath it; nothing may be lost or half done
	$(GO) run ./test/kill -rounds 100 -blows 20 -works 20

peers: ## Real foreign clients, installed from their registries, sign in and manage users
	GO=$(GO) test/peers/run

SUITE ?= http://127.0.0.1:8088
conformance: ## The OpenID Foundation's suite, which runs at SUITE already (docs/conformance.md)
	$(GO) run ./test/conformance -suite $(SUITE) -doc docs/conformance.md

clean:
	rm -rf bin .postgres
