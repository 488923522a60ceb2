.PHONY: help run test test-nginx test-compose infra oracle simulate chaos lint fmt bench screenshots lighthouse

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: ## Start the service on SQLite at http://127.0.0.1:8000
	@scripts/run.sh

test: ## Run every test, those on PostgreSQL included
	@scripts/test.sh

test-nginx: ## Test nginx.conf in front of real replicas, each in a network namespace (root, Linux)
	@scripts/nginx.sh

test-compose: ## Scale, kill, roll over and restart the real Compose stack under load, and count what was lost
	@scripts/compose-test.sh

infra: ## Check what is deployed: Kubernetes, EC2, Compose, Prometheus
	@scripts/infra.sh

CASES ?= 10000
oracle: ## Compare CASES random schedules, with and without calendars, with a walk over a zone's clock
	@CRON_ORACLE_CASES=$(CASES) PLAN_ORACLE_CASES=$(CASES) \
		cargo test --locked --release -p domain --test cron_oracle --test plan_oracle

SEEDS ?= 100000
FIRST_SEED ?= 0
simulate: ## Try SEEDS courses of several whole engines with everything going wrong, from FIRST_SEED on, and judge each
	@SEEDS=$(SEEDS) FIRST_SEED=$(FIRST_SEED) \
		cargo test --locked --release -p testkit --test simulation rule -- --nocapture

SECONDS_EACH ?= 300
chaos: ## Kill, freeze, cut off and confuse real processes for SECONDS_EACH a scenario, and compare what happened
	@CHAOS_SECONDS=$(SECONDS_EACH) scripts/postgres.sh \
		cargo test --locked -p local --test it chaos:: -- --nocapture --test-threads 1

lint: ## Check formatting, lints and documentation
	@scripts/lint.sh

fmt: ## Format the code
	@cargo fmt --all

bench: ## Measure the pure core: parsing, next occurrence, firing
	@cargo bench --locked -p domain

screenshots: ## Make the pictures in docs/screens anew, from seeded data with the real service
	@scripts/screenshots.sh

lighthouse: ## Audit the web UI of the optimised binary with Lighthouse; fails below 100/100/95
	@scripts/lighthouse.sh
