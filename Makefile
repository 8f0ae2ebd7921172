# `make` alone lists what can be done. Everything it installs or makes on the way stands under .local/
# and target/, but for Node packages, which Node wants beside the program, and for system packages:
# PostgreSQL, Python, Node, Chromium and a C compiler, where they are missing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Where `make run` and `make watch` listen, over HTTP and for gRPC, and where cargo-lambda does.
PORT ?= 8080
GRPC_PORT ?= 9090
WATCH_PORT ?= 9000
# The folder of the built functions.
BIN := $(or $(CARGO_TARGET_DIR),target)/debug
export PORT GRPC_PORT WATCH_PORT BIN

# What the functions are built for, x86_64 or arm64, as the template's parameter Architecture says it.
ARCH ?= x86_64
TARGET_x86_64 := x86_64-unknown-linux-gnu
TARGET_arm64 := aarch64-unknown-linux-gnu
TARGET = $(or $(TARGET_$(ARCH)),$(error ARCH has to be x86_64 or arm64, and is $(ARCH)))
# The C library of Amazon Linux 2023. Nothing newer is linked against, whatever this machine has.
GLIBC := 2.34
FUNCTIONS := $(notdir $(wildcard functions/*))
ZIG_CACHE := $(CURDIR)/.local/zig
# What sends requests for `make bench`, a workspace of its own.
BENCH_LOAD := --manifest-path bench/load/Cargo.toml --target-dir target/bench-load
# Where template.yaml looks for them.
ARTEFACTS := target/lambda

SQLX_CLI := 0.9.0
CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2
DATA := .local/postgres
POSTGRES := local/postgres.sh
CARGO_TOOLS := $(CURDIR)/.local/cargo/bin
PYTHON_TOOLS := $(CURDIR)/.local/venv/bin
CHECK_TOOLS := $(CURDIR)/.local/venv-checks/bin
CONTRACT_TOOLS := $(CURDIR)/.local/venv-contract/bin
NODE_CLIENT := local/tests/clients/node
GENERATED := local/tests/clients/generated

# What `make fuzz` tries, and for how many seconds each.
TARGETS ?= $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
SECONDS := 20

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##
## Work
##

.PHONY: run
run: setup-build setup-curl setup-postgres setup-python compile keys ## Start the bank on this machine, with a database that stays (PORT=8080, GRPC_PORT=9090)
	@PATH="$(PYTHON_TOOLS):$$PATH" $(POSTGRES) with $(DATA) local/run.sh serve

.PHONY: watch
watch: setup-build setup-curl setup-postgres setup-python compile keys ## The same, and every saved change is built and live
	@PATH="$(PYTHON_TOOLS):$$PATH" $(POSTGRES) with $(DATA) local/run.sh watch

.PHONY: test
test: setup-build setup-curl setup-postgres setup-python setup-chromium setup-node clients compile ## Run all tests on a database of their own (ARGS='-p shared', ARGS='-- name')
	PATH="$(PYTHON_TOOLS):$$PATH" $(POSTGRES) with-throwaway cargo test $(if $(filter -p --package,$(ARGS)),,--workspace) $(ARGS)

.PHONY: clients
clients: setup-node target/clients/typescript/bank.d.ts target/clients/python/pyproject.toml ## Generate clients in TypeScript and Python from the published document (target/clients)

target/clients/typescript/bank.d.ts: functions/docs/openapi.json $(GENERATED)/typescript/node_modules/.package-lock.json
	@npm run --silent --prefix $(GENERATED)/typescript generate

# It tells of what its configuration leaves out.
target/clients/python/pyproject.toml: functions/docs/openapi.json $(GENERATED)/python/config.yaml .local/venv-contract/.installed
	@mkdir -p target/clients
	@PATH="$(CONTRACT_TOOLS):$$PATH" openapi-python-client generate --path $< --config $(GENERATED)/python/config.yaml \
	  --output-path target/clients/python --overwrite >target/clients/python.log 2>&1 || { cat target/clients/python.log >&2; exit 1; }
	@touch $@

# Arguments in ARGS go to schemathesis: --include-operation-id deposit.
.PHONY: test-contract
test-contract: setup-build setup-curl setup-postgres setup-python setup-contract compile keys ## Fuzz the API by its published document, anonymous and as a customer (SEED=1, EXAMPLES=20)
	@PATH="$(PYTHON_TOOLS):$$PATH" SEED=$(SEED) EXAMPLES=$(EXAMPLES) $(POSTGRES) with-throwaway \
	  $(CONTRACT_TOOLS)/python local/tests/contract/run.py $(ARGS)

.PHONY: check
check: setup-build setup-postgres setup-python setup-sqlx check-templates check-openapi ## Formatting, lints, templates, the contract, committed queries
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo metadata --manifest-path fuzz/Cargo.toml --locked --format-version 1 >/dev/null
	cargo fmt --manifest-path bench/load/Cargo.toml --check
	$(PYTHON_TOOLS)/buf lint proto
	$(PYTHON_TOOLS)/buf format --diff --exit-code proto
	@$(contract_is_kept)
	$(PYTHON_TOOLS)/hadolint Dockerfile
	@if command -v shellcheck >/dev/null; then echo "shellcheck local/*.sh infra/*.sh .ci/run"; shellcheck local/*.sh infra/*.sh .ci/run; fi
	$(call on_migrated,$(call prepare,--check) && $(call docs_database,--check))
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --locked $(BENCH_LOAD) --all-targets -- -D warnings

# Compares the contract with the one where this branch left main, if git knows: a shallow clone may not.
define contract_is_kept
	for main in origin/main main; do base=$$(git merge-base HEAD "$$main" 2>/dev/null) && break; done || base=; \
	if [ -z "$$base" ] || ! git cat-file -e "$$base:proto/buf.yaml" 2>/dev/null; then \
	  echo "There is no contract of main's to compare proto with."; \
	else \
	  echo "buf breaking proto --against .git#ref=$$base,subdir=proto"; \
	  $(PYTHON_TOOLS)/buf breaking proto --against ".git#ref=$$base,subdir=proto"; \
	fi
endef

# That the document is what the functions say is a test of theirs.
.PHONY: check-openapi
check-openapi: setup-contract ## Of that, the published document: whether it is one, and whether clients can live with it
	$(CONTRACT_TOOLS)/openapi-spec-validator functions/docs/openapi.json
	@PYTHONDONTWRITEBYTECODE=1 $(CONTRACT_TOOLS)/python infra/test_openapi_breaks.py
	@$(document_is_kept)

# Compares the document with the one that was released last, or before there is any, with main's.
define document_is_kept
	base=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null) || \
	for main in origin/main main; do base=$$(git merge-base HEAD "$$main" 2>/dev/null) && break; done || base=; \
	mkdir -p .local/checks; \
	if [ -z "$$base" ] || ! git show "$$base:functions/docs/openapi.json" >.local/checks/openapi.json 2>/dev/null; then \
	  echo "There is no older document to compare functions/docs/openapi.json with."; \
	else \
	  echo "python infra/openapi_breaks.py $$base:functions/docs/openapi.json functions/docs/openapi.json"; \
	  $(CONTRACT_TOOLS)/python infra/openapi_breaks.py .local/checks/openapi.json functions/docs/openapi.json; \
	fi
endef

# checkov sees more in what SAM makes of the template than in the template.
.PHONY: check-templates
check-templates: setup-python setup-checks ## Of that, what stands in template.yaml, infra/ and the workflows alone
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(PYTHON_TOOLS)/sam validate --lint
	$(CHECK_TOOLS)/cfn-lint --regions us-east-1 --append-rules cfn_lint_serverless.rules -- template.yaml infra/*.yaml
	@mkdir -p .local/checks
	$(PYTHON_TOOLS)/python infra/transform.py template.yaml >.local/checks/template.json
	$(CHECK_TOOLS)/checkov --config-file .checkov.yaml --framework cloudformation \
	  $(patsubst %,--file %,.local/checks/template.json $(wildcard infra/*.yaml))
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON_TOOLS)/python infra/test_aws.py
	$(CHECK_TOOLS)/actionlint .github/workflows/*.yml
	$(CHECK_TOOLS)/zizmor --offline --no-progress --quiet .github/workflows

.PHONY: audit
audit: setup-build .local/cargo/.cargo-deny-$(CARGO_DENY) ## Dependencies: licences, sources, what is banned, known holes (OFFLINE=1: not those)
	$(CARGO_TOOLS)/cargo-deny $(if $(OFFLINE),--offline )--locked check bans licenses sources $(if $(OFFLINE),,advisories)

# Builds what is missing: half an hour the first time. The functions are those that `make build` made last.
.PHONY: bench
bench: setup-target setup-release setup-postgres ## Measure starts, requests and what a million transfers cost, 12 minutes (ROUNDS=3, PAGE=1)
	@ls $(FUNCTIONS:%=$(ARTEFACTS)/%/bootstrap) >/dev/null 2>&1 || $(MAKE) build
	@echo "$(ARTEFACTS) is measured as it was built on $$(date -r $(ARTEFACTS) '+%Y-%m-%d at %H:%M'); after a change, make build first."
	$(call cargo_lambda,$(ARTEFACTS)-bench,-p hello --bin hello)
	cargo build --release --locked -p bank-local -p shared --bin bank-local --bin token_keys
	cargo build --release --locked $(BENCH_LOAD)
	@BIN=$(or $(CARGO_TARGET_DIR),target)/release ARTEFACTS=$(ARTEFACTS) HELLO=$(ARTEFACTS)-bench/hello/bootstrap \
	  LOAD=target/bench-load/release/bank-load $(PYTHON_TOOLS)/python bench/bank.py

.PHONY: bench-db
bench-db: setup-postgres setup-python ## Measure a transfer in the database beside plainer ones, 4 minutes (ROUNDS=5)
	@$(PYTHON_TOOLS)/python bench/database.py

.PHONY: bench-auth
bench-auth: setup-build setup-postgres compile ## Measure whether the time of a log-in tells who is a customer, a minute
	@$(POSTGRES) with-throwaway cargo test -q -p bank-local --test main -- --ignored --nocapture timing

.PHONY: openapi
openapi: setup-build ## Write functions/docs/openapi.json anew, from what the functions say of their routes
	UPDATE=1 cargo test -q --workspace --test document

# Without a sanitizer, whose flags no stable compiler takes: there is no unsafe code of ours to be watched. What a
# run learns stays under .local/fuzz, and the next one begins with it.
.PHONY: fuzz
fuzz: setup-build setup-c++ .local/cargo/.cargo-fuzz-$(CARGO_FUZZ) ## Try what reads strangers' input on random input (SECONDS=20 each, TARGETS='event jwt', INPUT=file)
	PATH="$(CARGO_TOOLS):$$PATH" cargo fuzz build --fuzz-dir fuzz --sanitizer none --codegen-units 16 --target-dir target/fuzz
	@for target in $(TARGETS); do \
	  kept=.local/fuzz/$$target; mkdir -p "$$kept"; echo "fuzz: $$target"; \
	  RUST_BACKTRACE=0 target/fuzz/*/release/"$$target" -max_total_time=$(SECONDS) -timeout=10 -max_len=20000 -dict=fuzz/json.dict -print_final_stats=1 \
	    -artifact_prefix="$$kept-" $(or $(INPUT),"$$kept" fuzz/seeds/"$$target" functions/*/events) >"$$kept.log" 2>&1 || { \
	      tail -40 "$$kept.log"; input=$$(sed -n 's/.*Test unit written to //p' "$$kept.log"); \
	      echo "fuzz: $$target fails on the input above. To repeat it: make fuzz TARGETS=$$target INPUT=$$input" >&2; exit 1; }; \
	  sed -nE 's/^stat::(number_of_executed_units|average_exec_per_sec): */  \1 /p' "$$kept.log"; \
	done

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	cargo fmt --manifest-path bench/load/Cargo.toml

# The workspace in its debug profile: what `run` and `test` start.
.PHONY: compile
compile: setup-build
	cargo build --workspace

##
## What is deployed
##

# Named as packages, the functions alone are built, with the features that they alone ask for; a default feature
# is for other places than Lambda. cargo-lambda copies whatever program of the workspace it finds built for this
# target: `size` looks for strangers.
.PHONY: build
build: setup-target setup-release ## Build the functions as they are deployed into target/lambda (ARCH=arm64)
	rm -rf $(ARTEFACTS)
	$(call cargo_lambda,$(ARTEFACTS),)

# $(call cargo_lambda,folder,more arguments)
define cargo_lambda
PATH="$(PYTHON_TOOLS):$$PATH" CARGO_ZIGBUILD_CACHE_DIR=$(ZIG_CACHE) ZIG_GLOBAL_CACHE_DIR=$(ZIG_CACHE) \
	  cargo lambda build --release --locked --target $(TARGET).$(GLIBC) \
	  --lambda-dir $(1) --no-default-features $(addprefix -p ,$(FUNCTIONS)) $(2)
endef

.PHONY: size
size: setup-python ## Say how large they are, and fail if one is over its budget
	@$(PYTHON_TOOLS)/python infra/size.py $(ARTEFACTS) $(FUNCTIONS)

# The program of their tests is built beside them, so that it is what they are.
.PHONY: test-artefacts
test-artefacts: setup-target setup-release setup-postgres ## Try them under AWS's emulator of the Lambda runtime, on a machine like Lambda's (ARCH, AVX2)
	$(call cargo_lambda,$(ARTEFACTS)-tests,-p careless --bin careless)
	PATH="$(PYTHON_TOOLS):$$PATH" ARTEFACTS=$(ARTEFACTS) $(POSTGRES) with-throwaway cargo test --workspace --test main -- artefacts

##
## The database
##

.PHONY: migrate-up migrate-down migrate-status
migrate-up: ## Apply every migration that is missing (to DATABASE_URL if set, as all of these)
migrate-down: ## Take the last migration back
migrate-status: ## List the migrations and whether they are applied
migrate-up migrate-down migrate-status: setup-build setup-postgres compile keys
	@$(POSTGRES) with $(DATA) local/run.sh migrate $(@:migrate-%=%)

.PHONY: verify
verify: setup-build setup-postgres compile keys ## Recompute every rule of the books and name what breaks one
	@$(POSTGRES) with $(DATA) local/run.sh verify

.PHONY: migrate-new
migrate-new: ## Begin a migration (NAME=add_things)
	@[[ "$${NAME:-}" =~ ^[a-z0-9_]+$$ ]] || { echo "NAME has to be made of a-z, 0-9 and _: make migrate-new NAME=add_things" >&2; exit 1; }; \
	last=$$(ls migrations | sed -n 's/^\([0-9]\{4\}\)_.*/\1/p' | sort | tail -1); \
	file=migrations/$$(printf '%04d' $$((10#$${last:-0} + 1)))_$$NAME; \
	echo "-- $$NAME: why, and what a reader of the schema should know." >"$$file.up.sql"; \
	echo "-- Takes $$NAME back." >"$$file.down.sql"; \
	ls "$$file".*

.PHONY: sqlx-prepare
sqlx-prepare: setup-build setup-postgres setup-sqlx ## Write down what Postgres says of every query (shared/.sqlx)
	$(call on_migrated,$(call prepare))

.PHONY: psql
psql: setup-postgres ## Open psql on the database
	@$(POSTGRES) psql $(DATA) $(ARGS)

.PHONY: db-start
db-start: setup-postgres ## Start the private PostgreSQL and leave it running
	@$(POSTGRES) start $(DATA) durable
	@$(POSTGRES) url $(DATA)

.PHONY: db-stop
db-stop: ## Stop it
	@$(POSTGRES) stop $(DATA)

.PHONY: db-reset
db-reset: ## Remove the private PostgreSQL with all its data, and the next `make run` begins afresh
	@$(POSTGRES) remove $(DATA)

.PHONY: docs-database
docs-database: setup-build setup-postgres setup-python setup-sqlx ## Write docs/database.md, the schema's diagram and reference
	$(call on_migrated,$(call docs_database))

# $(call on_migrated,commands): on an empty database with every migration.
define on_migrated
PATH="$(CARGO_TOOLS):$$PATH" $(POSTGRES) with-throwaway bash -euc 'sqlx migrate run --source migrations && $(1)'
endef

# The targets and features are those of the tests, so that their queries are kept as well.
prepare = (cd shared && cargo sqlx prepare $(1) -- --all-targets --features testing)
docs_database = $(PYTHON_TOOLS)/python docs/database.py $(1)

##
## Keys
##

.PHONY: keys
keys: compile ## Make the keys of tokens and cursors, once
	@BIN=$(BIN) local/keys.sh make .local

# Of the files in migrations/, as the stack's custom resource names it.
.PHONY: schema
schema: ## Write into template.yaml which schema is deployed, after a change of migrations/
	@schema=$$(cat migrations/*.up.sql | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d' ' -f1); \
	sed -E "s/^( +Schema: )[0-9a-f]{64}$$/\1$$schema/" template.yaml >template.yaml.new; mv template.yaml.new template.yaml

.PHONY: keys-rotate
keys-rotate: keys ## Make new keys of tokens current; the ones before them stay valid until the next time
	@BIN=$(BIN) local/keys.sh rotate .local

##
## On AWS, as whoever `aws` is logged in as; docs/runbook.md has the order
##

.PHONY: deploy deploy-account deploy-network deploy-database deploy-observability deploy-github secrets prune url
deploy: setup-python ## Deploy what `make build` built (STAGE=dev, staging or prod; PARAMETERS="Name=Value ...", as all of these)
	@infra/aws.sh app "$(STAGE)"
deploy-account: ## Before the first stage in an account and region: what it has once
	@infra/aws.sh account
deploy-network: ## Before the first deployment of a stage: its network
	@infra/aws.sh network "$(STAGE)"
deploy-database: ## Then its database
	@infra/aws.sh database "$(STAGE)"
secrets: setup-build ## Then its keys, those that are missing
	@cargo build --quiet --package shared --bin token_keys
	@infra/aws.sh secrets "$(STAGE)"
deploy-observability: ## Its alarms and its dashboard
	@infra/aws.sh observability "$(STAGE)"
deploy-github: ## Let GitHub Actions deploy it (REPOSITORY=OWNER/NAME)
	@infra/aws.sh github "$(STAGE)" "$(REPOSITORY)"
prune: ## Delete old versions of its functions, as each deployment does at its end
	@infra/aws.sh prune "$(STAGE)"
url: ## Print where it answers
	@infra/aws.sh url "$(STAGE)"

.PHONY: smoke
smoke: ## Run the README's scenario against a bank, there or here (URL=http://127.0.0.1:8080, ARGS=--no-money)
	@python3 infra/smoke.py "$(or $(URL),http://127.0.0.1:$(PORT))" $(ARGS)

##
## Setting up: quick when nothing is missing
##

.PHONY: setup
setup: setup-build setup-curl setup-postgres setup-python setup-checks setup-contract setup-chromium setup-node setup-sqlx ## Install what run, watch, test and check use; other verbs bring their own
	@echo "Everything is here."

# `sudo` where it is needed and there is one.
AS_ROOT = $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

# $(call install,what,apt,dnf,apk,pacman,brew): with the machine's own package manager, or say what is missing.
define install
	by_hand() { echo "Could not install $(1). Install it by hand (Debian: $(2)), then run make again." >&2; exit 1; }; \
	echo "Installing $(1) ..."; \
	if command -v brew >/dev/null; then brew install $(6); \
	elif command -v apt-get >/dev/null; then $(AS_ROOT) apt-get update -q && $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $(2); \
	elif command -v dnf >/dev/null; then $(AS_ROOT) dnf install -y $(3); \
	elif command -v apk >/dev/null; then $(AS_ROOT) apk add $(4); \
	elif command -v pacman >/dev/null; then $(AS_ROOT) pacman -S --needed --noconfirm $(5); \
	else by_hand; fi >&2 || by_hand
endef

.PHONY: setup-build
setup-build:
	@command -v cc >/dev/null || { $(call install,a C compiler (cc),gcc libc6-dev,gcc glibc-devel,gcc musl-dev,gcc,gcc); }
	@command -v cargo >/dev/null || { echo "Rust is missing. Install it with rustup (https://rustup.rs), then run make again." >&2; exit 1; }

.PHONY: setup-c++
setup-c++:
	@command -v c++ >/dev/null || { $(call install,a C++ compiler (c++),g++,gcc-c++,g++,gcc,gcc); }

.PHONY: setup-curl
setup-curl:
	@command -v curl >/dev/null || { $(call install,curl,curl ca-certificates,curl,curl,curl,curl); }

# Debian's package would also make and start a server for the whole machine: not ours to decide.
.PHONY: setup-postgres
setup-postgres:
	@$(POSTGRES) programs >/dev/null 2>&1 || { \
	quiet=/etc/postgresql-common/createcluster.d/simplebank.conf; \
	if command -v apt-get >/dev/null && [ ! -e /etc/postgresql-common ]; then \
	  trap '$(AS_ROOT) rm -f "$$quiet"' EXIT; \
	  { $(AS_ROOT) mkdir -p "$${quiet%/*}" && echo "create_main_cluster = false" | $(AS_ROOT) tee "$$quiet" >/dev/null; } || true; \
	fi; \
	$(call install,PostgreSQL 15 or later,postgresql,postgresql-server postgresql-contrib,postgresql postgresql-contrib,postgresql,postgresql@17); \
	$(POSTGRES) programs >/dev/null; }

.PHONY: setup-python
setup-python: .local/venv/.installed

.local/venv/.installed: infra/requirements.txt infra/requirements-no-deps.txt
	@python3 -c 'import venv, ensurepip' 2>/dev/null || { $(call install,Python 3 with venv,python3 python3-venv,python3,python3,python,python3); }
	@echo "Installing the Python tools into .local/venv: the SAM CLI, cfn-lint, cargo-lambda ..."
	@$(PYTHON_TOOLS)/python -c '' 2>/dev/null || python3 -m venv --clear .local/venv
	@$(PYTHON_TOOLS)/python -m pip install -q --disable-pip-version-check -r infra/requirements.txt
	@$(PYTHON_TOOLS)/python -m pip install -q --disable-pip-version-check --no-deps -r infra/requirements-no-deps.txt
	@touch $@

.PHONY: setup-checks
setup-checks: .local/venv-checks/.installed

# A stamp of its own: whatever changes here, the other environment stays.
.local/venv-checks/.installed: infra/requirements-checks.txt | setup-python
	@echo "Installing the checkers of templates into .local/venv-checks: checkov, cfn-lint, zizmor ..."
	@$(CHECK_TOOLS)/python -c '' 2>/dev/null || python3 -m venv --clear .local/venv-checks
	@$(CHECK_TOOLS)/python -m pip install -q --disable-pip-version-check -r infra/requirements-checks.txt
	@touch $@

.PHONY: setup-contract
setup-contract: .local/venv-contract/.installed

.local/venv-contract/.installed: infra/requirements-contract.txt | setup-python
	@echo "Installing what reads the published document into .local/venv-contract: schemathesis ..."
	@$(CONTRACT_TOOLS)/python -c '' 2>/dev/null || python3 -m venv --clear .local/venv-contract
	@$(CONTRACT_TOOLS)/python -m pip install -q --disable-pip-version-check -r infra/requirements-contract.txt
	@touch $@

.PHONY: setup-target
setup-target: setup-build
	@libraries=$$(rustc --print target-libdir --target $(TARGET)); [ -d "$$libraries" ] || { \
	echo "Rust's standard library for $(ARCH) is missing here. Get it by: rustup target add $(TARGET)" >&2; exit 1; }

# A compiler and linker of C for any machine's C library: 470 MB that nothing but `make build` needs.
.PHONY: setup-release
setup-release: setup-build .local/venv/.installed-release

.local/venv/.installed-release: .local/venv/.installed infra/requirements-release.txt
	@echo "Installing zig into .local/venv (470 MB) ..."
	@$(PYTHON_TOOLS)/python -m pip install -q --disable-pip-version-check -r infra/requirements-release.txt
	@touch $@

# For the tests of pages; any browser of the kind will do.
.PHONY: setup-chromium
setup-chromium:
	@command -v chromium chromium-browser google-chrome-stable google-chrome >/dev/null || \
	[ -d "/Applications/Google Chrome.app" ] || [ -d /Applications/Chromium.app ] || { \
	$(call install,Chromium,chromium,chromium,chromium,chromium,--cask chromium); }

# For the tests with the clients that browsers use.
.PHONY: setup-node
setup-node: $(NODE_CLIENT)/node_modules/.package-lock.json $(GENERATED)/typescript/node_modules/.package-lock.json

# npm writes this file last. A stamp elsewhere would outlive the folder.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json | setup-npm
	@echo "Installing the Node packages of $* ..."
	@npm ci --prefix $* --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# Debian 12 packages an older one.
.PHONY: setup-npm
setup-npm:
	@is_here() { command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; }; \
	is_here 2>/dev/null || { $(call install,Node 20 or later with npm,nodejs npm,nodejs npm,nodejs npm,nodejs npm,node); }; \
	is_here || { echo "Node is $$(node --version) here, and 20 or later is needed. Install it by hand, then run make again." >&2; exit 1; }

.PHONY: setup-sqlx
setup-sqlx: .local/cargo/.sqlx-cli-$(SQLX_CLI)

# Hardly optimised: it builds in half the time, and is not waited for afterwards.
.local/cargo/.sqlx-cli-$(SQLX_CLI): | setup-build
	@[[ "$$($(CARGO_TOOLS)/sqlx --version 2>/dev/null)" == *" $(SQLX_CLI)" ]] || { \
	echo "Building sqlx-cli $(SQLX_CLI) into .local/cargo, once (about two minutes) ..."; \
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --locked --no-default-features --features postgres,rustls \
	  --root .local/cargo sqlx-cli@$(SQLX_CLI); }
	@touch $@

.local/cargo/.cargo-fuzz-$(CARGO_FUZZ): | setup-build
	@[[ "$$($(CARGO_TOOLS)/cargo-fuzz --version 2>/dev/null)" == *" $(CARGO_FUZZ)" ]] || { \
	echo "Building cargo-fuzz $(CARGO_FUZZ) into .local/cargo, once (about a minute) ..."; \
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --locked --root .local/cargo cargo-fuzz@$(CARGO_FUZZ); }
	@touch $@

.local/cargo/.cargo-deny-$(CARGO_DENY): | setup-build
	@[[ "$$($(CARGO_TOOLS)/cargo-deny --version 2>/dev/null)" == *" $(CARGO_DENY)" ]] || { \
	echo "Building cargo-deny $(CARGO_DENY) into .local/cargo, once (about three minutes) ..."; \
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --locked --root .local/cargo cargo-deny@$(CARGO_DENY); }
	@touch $@

##
## Cleaning
##

.PHONY: clean
clean: ## Remove what was built; tools and data stay
	cargo clean

.PHONY: distclean
distclean: clean ## Remove everything that is not in git: tools, keys and the database
	@$(POSTGRES) remove $(DATA)
	rm -rf .local $(NODE_CLIENT)/node_modules $(GENERATED)/typescript/node_modules $(GENERATED)/typescript/built
