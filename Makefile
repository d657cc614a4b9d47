# `make run` and `make test` do all set-up themselves; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup run test lint check format bench fuzz chaos wishes checks corpus

ARGS ?=
export PYTHON

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## make .venv with the pinned packages, once and again when the pins change
	@sh scripts/setup.sh run

run: setup ## open the window; without a display build and serve a recorded example
	@sh scripts/run.sh

test: ## lint, type-check and test everything (ARGS="-k name" for pytest)
	@sh scripts/setup.sh test
	@$(MAKE) --no-print-directory check
	@sh scripts/on_own_disk.sh sh scripts/on_virtual_screen.sh .venv/bin/python -m pytest -n auto $(ARGS)

lint: setup ## ruff and import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

check: lint ## lint, then mypy
	.venv/bin/mypy

format: setup ## format the code
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: ## run the benchmarks; fails where one is over its limit
	@sh scripts/setup.sh test
	@sh scripts/on_own_disk.sh sh scripts/on_virtual_screen.sh .venv/bin/python scripts/bench.py

fuzz: ## run the property tests with many more examples
	@sh scripts/setup.sh test
	@sh scripts/on_virtual_screen.sh .venv/bin/python -m pytest tests/property --hypothesis-profile=fuzz --timeout=0 -o faulthandler_timeout=0 $(ARGS)

wishes: ## build all twelve recorded wishes again, and have them checked in Chromium too
	@sh scripts/setup.sh test
	@VIBEDESK_WISHES=all sh scripts/on_virtual_screen.sh .venv/bin/python -m pytest -n 2 tests/e2e/test_wishes.py $(ARGS)

checks: ## take the recordings' checks with the reference runner in Chromium, too, also of apps that are broken on purpose; both have to say the same
	@sh scripts/setup.sh test
	@VIBEDESK_CHECKS=both sh scripts/on_virtual_screen.sh .venv/bin/python -m pytest -n 2 tests/e2e/test_self_test_runner.py $(ARGS)

chaos: ## kill the program at 200 points of its life; fails where it does not go on as if nothing had been
	@sh scripts/setup.sh test
	@.venv/bin/python -m tests.chaos $(ARGS)

corpus: ## check the labels of the corpus of broken projects, let the fixer alone mend all, print the share of each family, and visit those that run
	@sh scripts/setup.sh test
	@.venv/bin/python -m tests.corpora.broken.validate
	@VIBEDESK_CORPUS=all sh scripts/on_virtual_screen.sh .venv/bin/python -m pytest -s \
		-o faulthandler_timeout=0 tests/engine/repair/test_corpus.py tests/engine/review/test_corpus_visits.py $(ARGS)
