# Every verb of the project. Needs Python 3.11+ and nothing else; the first use installs what is missing.
PYTHON ?= python3
INSIDE = $(PYTHON) -m scripts.inside
export PYTHONUNBUFFERED = 1

.PHONY: help run run-split link doctor test check bench prove eval docs lock format page deploy clean
.DEFAULT_GOAL := help

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: ## start on this machine at http://127.0.0.1:8080 (AB_PORT, AB_DATA_DIR)
	@$(PYTHON) -m scripts.start

run-split: ## the same with one process for each of the five services
	@$(PYTHON) -m scripts.start --split

link: ## print another sign-in link for the running server
	@$(INSIDE) services.all_in_one link

doctor: ## say what this machine can and cannot do, with the cure
	@$(INSIDE) services.all_in_one doctor

test: ## every tier, two at a time; TIERS="unit flows" for some of them
	@$(PYTHON) -m scripts.tiers $(TIERS)

check: ## format, lint, types and import rules
	@$(PYTHON) -m scripts.tiers format lint types imports

bench: ## measure, and write docs/performance.md
	@$(INSIDE) --dev tests.bench

prove: ## the long proofs: killing, shuffling, hostile input
	@$(INSIDE) --dev tests.prove

eval: ## fifty requests to the model that is set, judged by what arrives; EVAL="--sample 10 --max-usd 5"
	@$(INSIDE) --dev tests.eval $(EVAL)

docs: ## write the generated pages under docs/
	@$(INSIDE) --dev scripts.docs

lock: ## pin the packages anew from requirements*.in
	@$(INSIDE) --dev scripts.lock

format: ## format Python sources
	@$(INSIDE) --dev ruff format .
	@$(INSIDE) --dev ruff check --fix .

page: ## build web/dist when its sources changed
	@$(PYTHON) -m scripts.page_build

deploy: ## put this commit on Google Cloud (GOOGLE_CLOUD_PROJECT; docs/deploy.md first)
	@$(PYTHON) -m scripts.deploy

clean: ## remove what these commands made, but not the data folder
	rm -rf .venv .venv-web .cache web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
