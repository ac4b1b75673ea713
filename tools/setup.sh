#!/usr/bin/env bash
# Brings .venv up to date: `tools/setup.sh base` for what demur needs to run, `dev` for what its tests need, `train` for
# what training needs, `engines` for Ray and Spark, too.
# Uses uv where it is installed, else venv and pip. Installs only pinned, hashed releases (requirements/), and
# builds nothing in isolation, so that no step fetches a tool that is not pinned.
set -euo pipefail
cd "$(dirname "$0")/.."
group=${1:?usage: tools/setup.sh base|dev|train|engines}
venv_python=.venv/bin/python

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 2
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail 'demur needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python.'
}

make_venv() {
    local python
    python=$(find_python)
    if command -v uv >/dev/null; then
        uv venv --quiet --clear --no-python-downloads --python "$python" .venv
    else
        "$python" -m venv --clear .venv ||
            fail "$python can't make a virtual environment: install its venv module (python3-venv on Debian), or uv."
    fi
}

install() {
    if command -v uv >/dev/null; then
        uv pip install --quiet --python "$venv_python" --no-deps --no-build-isolation "$@"
    else
        "$venv_python" -m pip --version >/dev/null 2>&1 || "$venv_python" -m ensurepip >/dev/null
        "$venv_python" -m pip install -qq --no-compile --no-deps --no-build-isolation "$@"
    fi
}

install_pins() {
    printf 'Installing %s ...\n' "$*" >&2
    install --require-hashes --requirement "$@"
}

# The build for the processor alone where a folder of PIP_FIND_LINKS has it (200 MB), else the one that indexes hand out,
# which on Linux wants CUDA's packages (3 GB); see tools/train_pins.py.
install_torch() {
    export UV_FIND_LINKS="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-}}"
    if install_pins requirements/torch-cpu.txt --no-index 2>/dev/null; then return; fi
    install_pins requirements/torch.txt
    if [ "$(uname -s)" = Linux ]; then install_pins requirements/cuda.txt; fi
}

"$venv_python" -c '' 2>/dev/null || make_venv
case $group in
    base)
        install_pins requirements/build.txt
        install_pins requirements/base.txt
        install --editable .
        ;;
    dev) install_pins requirements/dev.txt ;;
    train)
        install_torch
        install_pins requirements/train.txt
        ;;
    engines) install_pins requirements/engines.txt ;;
    *) fail "unknown group $group: base, dev, train or engines." ;;
esac
