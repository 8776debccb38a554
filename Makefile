# Each target brings its own environment (.venv) on first use.
#   make demo        a report on real data: report.html
#   make test        style, types and tests
#   make lint        style and types alone
#   make benchmark   recovery of known truth, with timings: hours, unless IDENTIFICATION says less,
#                    such as IDENTIFICATION="--group cases --seeds 0-2"
#   make trust       exactness and calibration of edge probabilities: hours, unless TRUST says less,
#                    such as TRUST="--seeds 0-19"
#   make clean       remove the environment and everything generated

.PHONY: demo test lint benchmark trust clean
.DELETE_ON_ERROR:

BIN := .venv/bin
STAMP := .venv/.installed
# The first interpreter that is new enough; PYTHON=/path/to/python overrides.
PYTHON ?= $(firstword $(foreach candidate,python3 python3.14 python3.13 python3.12 python3.11 python,\
	$(shell $(candidate) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& echo $(candidate))))
# One thread per test worker: workers and threads would otherwise compete for the same cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist worksteal

demo: $(STAMP)
	@$(BIN)/pyrocrl demo --out report.html
	@echo "The report: $(CURDIR)/report.html"

test: lint
	$(PYTEST)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: $(STAMP)
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/identifiability_rule.py
	$(BIN)/pyrocrl benchmark identification $(IDENTIFICATION)

trust: $(STAMP)
	$(BIN)/pyrocrl benchmark exactness
	$(BIN)/pyrocrl benchmark ranks
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/variational_gates.py
	$(BIN)/pyrocrl benchmark calibration $(TRUST)
	$(BIN)/pyrocrl benchmark calibration --methods "pc;ges" $(TRUST)

clean:
	rm -rf .venv build dist report.html report.csv report.graphml
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@$(if $(PYTHON),:,echo "pyrocrl needs Python 3.11 or newer, and none was found on the PATH." \
		"Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pyrocrl needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0])'
	@echo "Installing pyrocrl and what it needs into .venv (a minute or two, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e ".[all]"
	@touch $@
