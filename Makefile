# One command each. `make` alone lists them.

PYTHON ?= python3
# Further words for pip, such as an --extra-index-url (README: torch's CPU build).
PIP_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
BUILD := docs/_build
SPHINX := $(BIN)/sphinx-build -b html -d $(BUILD)/doctrees -j 4 -n -W --keep-going

# Two small cores are slower with two threads each than with one.
export OMP_NUM_THREADS := 1

.PHONY: help html test serve bench lint lock vendor clean

help:
	@echo "make html   build the site"
	@echo "make test   run all tests"
	@echo "make serve  show the site, built anew on every change"
	@echo "make bench  measure what recording costs, and what a step does"
	@echo "make lint   check the style of the code"
	@echo "make lock   renew constraints.txt"
	@echo "make vendor renew the playground's parts of D3 (needs npm)"
	@echo "make clean  delete what was made"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[docs,test]"
	@touch $@

html: $(READY)
	$(SPHINX) docs $(BUILD)/html
	@echo "Open $(CURDIR)/$(BUILD)/html/index.html"

# Two files at a time, and what looks at the clock by itself.
test: html
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone"
	$(BIN)/python -m pytest -m alone

# What a build writes below docs/ must not start the next one.
serve: $(READY)
	$(BIN)/sphinx-autobuild -d $(BUILD)/doctrees -j 4 --watch linreg_tutorial --watch gallery \
		--ignore $(BUILD) --ignore docs/gallery --ignore docs/reference/generated \
		--re-ignore __pycache__ docs $(BUILD)/html

bench: $(READY)
	$(BIN)/python tests/bench_history.py
	$(BIN)/python tests/bench_trace.py
	MPLBACKEND=agg $(BIN)/python gallery/18_measure_step.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# A fresh environment without constraints, then what pip chose in it. A local
# build's tag, as in 2.13.0+cpu, is no part of a version that others can ask for.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet $(PIP_ARGS) "torch==2.13.0" -e ".[docs,test]"
	( echo "# Exact versions of all that is installed; renewed by 'make lock'."; \
	  $(VENV)-lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' ) > constraints.txt
	rm -rf $(VENV)-lock

# In a folder that is thrown away: what npm installs is no part of the site.
vendor:
	rm -rf $(BUILD)/vendor
	mkdir -p $(BUILD)
	cp -r docs/_vendor $(BUILD)/vendor
	cd $(BUILD)/vendor && npm ci --silent && node build.mjs $(CURDIR)/docs/_static/playground/d3.js

clean:
	rm -rf $(VENV) $(VENV)-lock $(BUILD) docs/gallery docs/reference/generated
	rm -rf .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
