# make demo: grade the example class · make test: run every test · make bench: measure
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test bench clean

demo: .venv/demo
	$(BIN)/course grade examples/class --out build/demo --seed 12 --exercise forward --exercise practice

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

bench: .venv/test
	$(BIN)/python -m bench

.venv/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,nbgrader]'
	touch $@ .venv/demo

clean:
	rm -rf build .venv
