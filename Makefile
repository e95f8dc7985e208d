# make demo and make test are the README's two commands. PYTHON and VENV may be given: make test PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 4
TEST_WORKERS ?= 2
# Tests run in an order drawn from this; test-fast draws another one every time.
SEED ?= 2026
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Two cores are shared by the model host and the workers: an OpenMP pool that spins while it waits halves the speed.
export OMP_WAIT_POLICY = PASSIVE

.PHONY: demo test test-all test-fast lint bench clean

demo: $(VENV)/installed
	$(BIN)/python -m pytest suites/instrument_trap --eval-plan smoke -n $(WORKERS)

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n $(TEST_WORKERS) --randomly-seed=$(SEED) -m "not long"

test-all: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n $(TEST_WORKERS) --randomly-seed=$(SEED)

test-fast: $(VENV)/developed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n $(TEST_WORKERS) -m "not slow"

lint: $(VENV)/developed
	$(BIN)/ruff check evalkit tests fixtures benchmarks
	$(BIN)/ruff format --check --quiet evalkit tests fixtures benchmarks
	$(BIN)/mypy

# Minutes, on a quiet machine: make bench BENCH="--only 1 3"; --install makes the rivals' environments first.
bench: $(VENV)/developed
	$(BIN)/python benchmarks/run_all.py $(BENCH)

# torch first and pinned: an unpinned install pulls several GB of CUDA packages.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) --editable '.[local,report]'
	touch $@

$(VENV)/developed: $(VENV)/installed
	$(PIP) --editable '.[local,report,dev]'
	touch $@

clean:
	rm -rf $(VENV) .evalkit reports/out .pytest_cache .mypy_cache .ruff_cache
