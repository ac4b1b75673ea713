# demur's chores. Each one first makes .venv or brings it up to date; a second run finds it done.

PYTEST_ARGS ?=
EXAMPLES ?= 5000
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev
TRAIN := .venv/.train
ENGINES := .venv/.engines
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make pins" $(if $(UPGRADE),--upgrade)

# Python keeps what it compiled: where the machine's environment forbids that, each of the suite's many processes would
# compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test tests test-train test-engines test-postgresql lint format messages readability screenshots soak bench bench-people bench-peers pins clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## make .venv with everything that development needs

$(RUNTIME): tools/setup.sh pyproject.toml requirements/build.txt requirements/base.txt
	@tools/setup.sh base
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	@tools/setup.sh dev
	@touch $@

$(TRAIN): $(DEV) $(wildcard requirements/t*.txt requirements/cuda.txt)
	@tools/setup.sh train
	@touch $@

$(ENGINES): $(DEV) requirements/engines.txt
	@tools/setup.sh engines
	@touch $@

demo: $(RUNTIME) ## the whole loop on a synthetic community
	@$(BIN)/demur demo $(ARGS)

# Runs one check under a heading, and says how long it took.
check = @printf '== %s\n' '$(1)'; from=$$(date +%s); $(BIN)/$(1) || exit $$?; printf '   %s s\n' $$(($$(date +%s) - from))

lint: $(DEV) ## style, types and layers
	$(call check,ruff check --quiet)
	$(call check,ruff format --check --quiet)
	$(call check,mypy)
	$(call check,lint-imports --no-logo)

test: $(DEV) ## lint, and beside it every test but the long ones
	@$(MAKE) --no-print-directory --jobs=2 lint tests

# Three at once on two cores: a third of the time a test waits, for a server, a browser or a clock.
tests: $(DEV)
	@printf '== %s\n' pytest
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/training --ignore tests/engines -m 'not soak and not bench' --durations=10 --durations-min=1 $(PYTEST_ARGS)

# Not among the tests above: what trains needs torch, which everything else has to do without.
test-train: $(TRAIN) ## the tests of the extra `train`, with torch installed
	$(call check,mypy src tests/training)
	@printf '== %s\n' 'pytest tests/training'
	@$(BIN)/pytest -n 2 --dist loadfile -m 'not soak and not bench' --durations=10 --durations-min=1 tests/training $(PYTEST_ARGS)

# Not among the tests above either: Ray is an extra that everything else has to do without, and Spark wants Java.
test-engines: $(ENGINES) ## the tests of the extras `ray` and `spark`, with both installed
	@printf '== %s\n' 'pytest tests/engines'
	@$(BIN)/pytest -m 'not soak and not bench' --durations=10 --durations-min=1 tests/engines $(PYTEST_ARGS)

# Of these suites a part runs on both databases among the tests above: what is marked `either`.
test-postgresql: $(DEV) ## the suites of objecting, web and worker with their registers on PostgreSQL
	@printf '== %s\n' 'pytest --register postgresql'
	@$(BIN)/pytest -n 2 --dist loadfile --register postgresql -m 'not soak and not bench' --durations=10 --durations-min=1 tests/objecting tests/web tests/worker $(PYTEST_ARGS)

format: $(DEV) ## rewrite the code in its one style
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

messages: $(DEV) ## collect the strings of pages and mails into every catalogue
	@$(BIN)/python tools/messages.py

readability: $(DEV) ## how hard the English of pages, notices and emails is to read
	@$(BIN)/python tools/readability.py

screenshots: $(DEV) ## pictures of the pages: docs/screens/, and all of them in .screens/
	@$(BIN)/python tools/screenshots.py

soak: $(DEV) ## the laws with EXAMPLES (5000) examples each, and the other long tests
	@DEMUR_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n 2 -m 'law or soak' --durations=10 $(PYTEST_ARGS)

bench: $(DEV) ## print the figures of docs/benchmarks.md
	@set -e; for script in $(filter-out bench/peers.py,$(wildcard bench/[!_]*.py)); do printf '== %s\n' "$$script"; $(BIN)/python "$$script"; done

bench-peers: $(DEV) ## the same job by other tools, which it installs: 8 GB in bench/data/peers
	@$(BIN)/python bench/peers.py

bench-people: $(DEV) ## print the figures of docs/people.md: people in others' words
	@$(BIN)/python bench/naming_people.py

pins: ## compile requirements/ from pyproject.toml (wants uv; UPGRADE=1 takes newer releases)
	@$(COMPILE) --group build --output-file requirements/build.txt
	@$(COMPILE) --constraint requirements/build.txt --extra web \
		--output-file requirements/base.txt pyproject.toml
	@$(COMPILE) --constraint requirements/build.txt --constraint requirements/base.txt \
		--extra web --extra postgres --extra store --extra pictures --group dev --output-file requirements/dev.txt pyproject.toml
	@$(COMPILE) --constraint requirements/build.txt --output-file requirements/s3.txt requirements/s3.in
	@$(COMPILE) --constraint requirements/build.txt --constraint requirements/dev.txt \
		--extra web --extra ray --extra spark --output-file requirements/engines.txt pyproject.toml
	@python3 tools/train_pins.py join requirements/whole.txt
	@$(COMPILE) --constraint requirements/build.txt --constraint requirements/dev.txt --constraint requirements/torch.in \
		--extra web --extra train --output-file requirements/whole.txt pyproject.toml
	@python3 tools/train_pins.py split requirements/whole.txt

clean: ## remove .venv, caches and what benchmarks left
	@rm -rf .venv .screens .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis bench/data bench/results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
