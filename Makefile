# `make demo` and `make test` do everything on a fresh machine: they make .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-vm clean

demo: .venv/base
	$(BIN)/realtime-bokeh demo out/demo.mp4

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

test-vm: .venv/base
	bash tests/vm/test.sh

# The stamps say that the packages that pyproject.toml names are installed.
.venv/base: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# PyTorch's version is fixed so that every machine tests with the same one.
.venv/dev: .venv/base
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv out
