# `make` alone lists the targets. Each makes what it needs; nothing has to be activated or installed first.

PYTHON = .venv/bin/python
SAM_PYTHON = .cache/sam/bin/python
ARGS =

.PHONY: help run test lint bench mutants template routes openapi build deploy account replay lock clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

run: .venv/installed ## serve everything on this machine: API on port 8000, short links on port 8001
	@$(PYTHON) -m fingerpost.local $(ARGS)

test: .venv/installed ## run every test; ARGS="-k redirect" runs some
	@$(PYTHON) -m pytest -n auto --maxprocesses 8 --dist loadfile $(ARGS)

lint: .venv/installed ## check style, format and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

bench: .venv/installed ## measure the budgets, as ratios
	@$(PYTHON) -m bench $(ARGS)

mutants: .cache/mutation/installed ## see which small faults the tests miss; ARGS="rules/nodes" tries some modules
	@.cache/mutation/bin/python tools/mutants.py $(ARGS)

template: .cache/sam/installed ## check template.yaml as SAM sees it and as CloudFormation will
	@$(SAM_PYTHON) tools/check_template.py template.yaml

routes: .venv/installed ## write the API's routes into template.yaml as the functions register them
	@$(PYTHON) tools/routes.py

openapi: .venv/installed ## write the description of the API as the functions register it
	@$(PYTHON) tools/openapi.py

build: .cache/sam/installed ## build what is deployed, without containers
	@sh tools/sam build --cached --parallel $(ARGS)

deploy: build ## put it on AWS; asks what it needs to know, and remembers the answers in samconfig.toml
	@sh tools/sam deploy --guided $(ARGS)

account: .venv/installed ## make a deployment's first account; ARGS="--email you@example.com"
	@$(PYTHON) -m fingerpost.aws.first_account $(ARGS)

replay: .venv/installed ## hand what a deployment's feed readers gave up on to them once more
	@$(PYTHON) -m fingerpost.aws.replay $(ARGS)

lock: ## resolve the newest versions that fit pyproject.toml and pin them
	@sh tools/lock

clean: ## remove everything that can be made again; .fingerpost, the data of `make run`, stays
	rm -rf .venv .cache .aws-sam build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find layers functions tests bench rules tools -name __pycache__ -prune -exec rm -rf {} +
	rm -rf layers/core/python/*.egg-info

.venv/installed: pyproject.toml requirements.lock
	@sh tools/make-venv .venv requirements.lock editable

.cache/mutation/installed: requirements-mutants.lock
	@sh tools/make-venv .cache/mutation requirements-mutants.lock

.cache/sam/installed: requirements-sam.lock
	@sh tools/make-venv .cache/sam requirements-sam.lock
