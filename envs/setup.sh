#!/bin/sh
# Make .venv with the versions of requirements.lock; `make` calls it before everything else and it does nothing when
# .venv is up to date. The stamp is written last: an installation that was cut short starts again from an empty .venv.
# PYTHON: the interpreter to use.   TORCH: cpu, cu or rocm (empty: what plain pip finds).
# TORCH_INDEX: PyTorch's package index.   TORCH_ROCM: the folder of its ROCm build.
set -eu

stamp=.venv/strangecast.stamp

fail() {
    echo "set-up: $*" >&2
    exit 1
}

case "${TORCH:=}" in
"" | cpu | cu | rocm) ;;
*) fail "TORCH=$TORCH is not a build of PyTorch; use TORCH=cpu, TORCH=cu (NVIDIA) or TORCH=rocm (AMD)" ;;
esac

# What the environment must agree with; a .venv that was moved or copied does not work, so the folder is part of it.
wanted() {
    pwd -P
    cksum requirements.lock
    sed -n '/^\[project.scripts\]/,/^$/p' pyproject.toml
}

# The build of torch in .venv: first line of the stamp.
installed_torch() { sed -n 1p "$stamp" 2>/dev/null || true; }

same_build() { [ -z "$TORCH" ] || [ "$(installed_torch)" = "$TORCH" ]; }

up_to_date() { [ -f "$stamp" ] && same_build && [ "$(sed 1d "$stamp")" = "$(wanted)" ]; }

if up_to_date; then exit 0; fi

if command -v flock >/dev/null 2>&1; then # two `make` at once: the second one waits for the first
    mkdir -p .snakemake
    exec 9>.snakemake/setup.lock
    flock 9
    if up_to_date; then exit 0; fi
fi

in_range() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

if [ -n "${PYTHON:=}" ]; then
    command -v "$PYTHON" >/dev/null 2>&1 || fail "there is no PYTHON=$PYTHON here"
    python=$PYTHON
else
    python=
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && in_range "$name"; then
            python=$name
            break
        fi
    done
    if [ -z "$python" ]; then
        command -v python3 >/dev/null 2>&1 ||
            fail "there is no python3 on the PATH; install it (Debian, Ubuntu: apt install python3 python3-venv)"
        python=python3
    fi
fi
in_range "$python" || fail "Python 3.11, 3.12 or 3.13 is needed and $python is" \
    "$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo "none of them");" \
    "name another one with: make PYTHON=/path/to/python3.12"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python comes without its venv module (ensurepip);" \
        "install it (Debian, Ubuntu: apt install python3-venv) and run make again"

if [ -f "$stamp" ] && same_build && [ "$(sed -n 2p "$stamp")" = "$(pwd -P)" ] && .venv/bin/python -c '' 2>/dev/null; then
    echo "set-up: requirements.lock has changed, updating .venv"
    build=${TORCH:-$(installed_torch)}
    rm -f "$stamp"
else
    echo "set-up: making .venv with $("$python" --version 2>&1) (some minutes, once)"
    build=$TORCH
    "$python" -m venv --clear .venv || fail "$python could not make .venv in $(pwd -P)"
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
locked() { sed -n "s/^\($1==[^ ]*\).*/\1/p" requirements.lock; }

# pip and setuptools first, then torch alone: everything later finds it installed and leaves the build as it is.
pip install -qq "$(locked pip)" "$(locked setuptools)"
case "$build" in
cpu) pip install --index-url "${TORCH_INDEX:=https://download.pytorch.org/whl}/cpu" "$(locked torch)" ;;
rocm) pip install --index-url "${TORCH_INDEX:=https://download.pytorch.org/whl}/${TORCH_ROCM:=rocm7.1}" "$(locked torch)" ;;
*) pip install --constraint requirements.lock "$(locked torch)" ;;
esac
pip install -qq --no-build-isolation --requirement requirements.lock
pip install -qq --no-build-isolation --no-deps --editable .

{
    echo "$build"
    wanted
} >"$stamp.part"
mv "$stamp.part" "$stamp"
echo "set-up: .venv is ready"
