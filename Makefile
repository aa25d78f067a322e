# make paper   everything the paper shows, at the scale of config.yaml; make paper SCALE=smoke for the short version
# make test    the whole test suite; make test-quick its two-minute part; make lint the style checks
# Each sets up .venv first when it is missing or older than requirements.lock (make setup does only that).
# TORCH=cpu | cu | rocm chooses the build of PyTorch (unset: the one that plain pip finds, on Linux that for NVIDIA);
# a choice is kept until another one is named. PYTHON=python3.12 chooses the interpreter.

PYTHON ?=
SCALE ?=
TORCH ?=
# PyTorch's own index, asked for TORCH=cpu and TORCH=rocm, and the name of its ROCm build there.
TORCH_INDEX ?= https://download.pytorch.org/whl
TORCH_ROCM ?= rocm7.1
# More options for a run of the paper or of the tests: make paper ARGS="--cores 4", make test ARGS="-k locks".
ARGS ?=

export PYTHON TORCH TORCH_INDEX TORCH_ROCM
export PYTHONNOUSERSITE := 1
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER

# One thread per process: small tensor operations on contended threads are tens of times slower.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help setup paper figures test test-quick lint pins lock clean-venv

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

setup:
	@sh envs/setup.sh

paper: setup
	@strangecast unlock
	@snakemake all $(if $(SCALE),--config scale=$(SCALE)) $(ARGS)
	@sh envs/outputs.sh $(SCALE)

figures: setup
	@strangecast unlock
	@snakemake figures $(if $(SCALE),--config scale=$(SCALE)) $(ARGS)

test: setup
	@$(ONE_THREAD) python -m pytest -n 2 --dist loadfile $(ARGS)

test-quick: setup
	@$(ONE_THREAD) python -m pytest -n 2 --dist loadfile -m "not slow and not slurm and not gpu" $(ARGS)

lint: setup
	@ruff check .
	@ruff format --check .
	@snakefmt --check Snakefile rules
	@lint-imports
	@snakemake --lint --quiet

# Exact conda packages of envs/*.yaml, one file per environment, where conda-forge can be asked.
pins: setup
	@python envs/pins.py

# requirements.lock from what .venv holds, after a dependency was added to pyproject.toml and installed with pip.
lock:
	@python envs/lock.py

clean-venv:
	rm -rf .venv
