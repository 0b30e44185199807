# make demo      sets up, and grades the example class
# make quick     the tests that matter while editing: under a minute
# make test      sets up, and runs every test
# make lowest    the demo and the core tests with the lowest versions that pyproject.toml allows
# make wheel     what students install
# make docs      writes docs/commands.md
# make screenshots  photographs the pages that the guides show
# make bench     measures
# make mutants   tests the checks
# make attacks   what gets through, here and elsewhere
# make kernels   boots another kernel in an emulator, and tries the walls there
# make fuzz      draws other examples than make test, and throws bytes at what reads strangers'
# make chaos     kills, a hundred times
# make codemirror  bundles the editor of the pages anew, from npm's packages
# make clean     starts afresh
PYTHON ?= python3
BIN := .venv/bin
PINS := constraints.txt
LOWEST := build/lowest
# PyPI's torch for Linux brings 4.8 GB of CUDA along. So a build for CPUs is taken from here, unless pip is set up to ask elsewhere, as on a
# machine with a mirror, or nothing answers: then pip takes what its own indexes have. `make demo TORCH_INDEX=` leaves it to pip as well.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINS)
TORCH = test -z "$(TORCH_INDEX)" || $(BIN)/python -m pip config list | grep -E 'index|find-links' > /dev/null \
  || $(PIP) --retries 1 --no-deps --index-url $(TORCH_INDEX) "$$(grep '^torch==' $(PINS))" \
  || echo "No answer from $(TORCH_INDEX): torch comes from pip's own index."
GRADE := --seed 12 --exercise forward --exercise practice
QUICK := tests/test_architecture.py tests/autograder/sandbox tests/autograder/course tests/autograder/grading \
  tests/autograder/author/test_lint.py tests/test_documented_misconceptions.py
CORE := tests/autograder/sandbox tests/autograder/course tests/autograder/grading tests/autograder/learner tests/solutions tests/test_students.py
HOSTILE = awk '/^[^ ]/ { name = $$0 } /kind: hostile/ { sub(":.*", "", name); print name }' examples/class/expected.yaml

.PHONY: demo quick test lowest wheel docs screenshots bench mutants attacks fuzz chaos kernels codemirror clean

demo: .venv/demo
	@if $(BIN)/course doctor > /dev/null; then \
	  $(BIN)/course grade examples/class --out build/demo $(GRADE); \
	else \
	  echo "Walls are missing here (see: course doctor), so the four hostile students are left out."; \
	  rm -rf build/class && mkdir -p build && cp -r examples/class build/class; \
	  $(HOSTILE) | while read -r name; do rm -rf "build/class/$$name"; done; \
	  $(BIN)/course grade build/class --out build/demo $(GRADE) --unsafe; \
	fi
	@echo "See them in your browser: $(BIN)/course serve --grades build/demo --open"

quick: .venv/test
	$(BIN)/ruff check .
	$(BIN)/pytest -n 2 -q -m "not slow" $(QUICK)

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder --cov

lowest: BIN := $(LOWEST)/bin
lowest: PINS := $(LOWEST)/versions.txt
lowest:
	$(PYTHON) -m venv $(LOWEST)
	$(PYTHON) .ci/lowest.py > $(PINS)
	@$(TORCH)
	$(PIP) -e '.[test,nbgrader]'
	$(BIN)/course grade examples/class --out $(LOWEST)/demo $(GRADE)
	$(BIN)/pytest -n 2 -q -W default $(CORE)  # old packages warn of what newer ones changed

wheel: .venv/test
	$(BIN)/course release --out build/student_release
	$(BIN)/python -m build --no-isolation --outdir dist .

docs: .venv/demo
	$(BIN)/python -m docs.commands

screenshots: .venv/test demo
	$(BIN)/python -m docs.screenshots

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

kernels: .venv/test
	$(BIN)/python -m bench.kernels

.venv/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(TORCH)
	$(PIP) -e '.[grade]'
	touch $@

.venv/test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(TORCH)
	$(PIP) -e '.[test,nbgrader]'
	touch $@ .venv/demo

codemirror:  # then its checksum in packages.yaml
	mkdir -p build && rm -rf build/codemirror && cp -r .ci/codemirror build
	cd build/codemirror && npm ci --ignore-scripts --no-audit --no-fund
	build/codemirror/node_modules/.bin/esbuild build/codemirror/bundle.js --bundle --minify --format=iife --legal-comments=none \
	  --outfile=autograder/web/static/vendor/codemirror.js
	sha256sum autograder/web/static/vendor/codemirror.js

clean:
	rm -rf build dist .venv
