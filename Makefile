# make demo      sets up, and grades the example class
# make quick     the tests that matter while editing: under a minute
# make test      sets up, and runs every test
# make wheel     what students install
# make docs      writes docs/commands.md
# make bench     measures
# make mutants   tests the checks
# make attacks   what gets through, here and elsewhere
# make fuzz      draws other examples than make test, and throws bytes at what reads strangers'
# make chaos     kills, a hundred times
# make clean     starts afresh
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
GRADE := --out build/demo --seed 12 --exercise forward --exercise practice
QUICK := tests/test_architecture.py tests/autograder/sandbox tests/autograder/course tests/autograder/grading \
  tests/autograder/author/test_lint.py tests/test_documented_misconceptions.py
HOSTILE = awk '/^[^ ]/ { name = $$0 } /kind: hostile/ { sub(":.*", "", name); print name }' examples/class/expected.yaml

.PHONY: demo quick test wheel docs bench mutants attacks fuzz chaos clean

demo: .venv/demo
	@if $(BIN)/course doctor > /dev/null; then \
	  $(BIN)/course grade examples/class $(GRADE); \
	else \
	  echo "Walls are missing here (see: course doctor), so the four hostile students are left out."; \
	  rm -rf build/class && mkdir -p build && cp -r examples/class build/class; \
	  $(HOSTILE) | while read -r name; do rm -rf "build/class/$$name"; done; \
	  $(BIN)/course grade build/class $(GRADE) --unsafe; \
	fi

quick: .venv/test
	$(BIN)/ruff check .
	$(BIN)/pytest -n 2 -q -m "not slow" $(QUICK)

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup --cov

wheel: .venv/test
	$(BIN)/course release --out build/student_release
	$(BIN)/python -m build --no-isolation --outdir dist .

docs: .venv/demo
	$(BIN)/python -m docs.commands

bench: .venv/test
	$(BIN)/python -m bench

mutants: .venv/test
	$(BIN)/python -W ignore -m bench.mutants

attacks: .venv/test
	$(BIN)/python -W ignore -m bench.attacks

fuzz: .venv/test
	$(BIN)/pytest -n 2 -m "hypothesis or seeded" --hypothesis-profile random
	$(PIP) -e '.[fuzz]'
	$(BIN)/python -W ignore -m bench.programs
	$(BIN)/python -W ignore -m bench.fuzz

chaos: .venv/test
	$(BIN)/python -m bench.chaos

.venv/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e .
	touch $@

.venv/test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e '.[test,nbgrader]'
	touch $@ .venv/demo

clean:
	rm -rf build dist .venv
