"""Write envs/<name>.linux-64.pin.txt, the exact conda packages of each environment: `make pins`.

Each environment is made once by conda or micromamba and its packages are listed. Snakemake prefers a pin file to the
YAML beside it, and then leaves out the YAML's pip section: so a post-deploy script that installs it is written too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ENVS = Path(__file__).resolve().parent


def write_pins(tool: str, folder: Path) -> list[Path]:
    """Pin every environment of ``folder`` with the program ``tool``; the files written.

    Raises:
        subprocess.CalledProcessError: the program cannot make an environment; nothing is written for that one.
    """
    written = []
    for definition in sorted(folder.glob("*.yaml")):
        with tempfile.TemporaryDirectory(prefix="strangecast-pins-") as scratch:
            prefix = str(Path(scratch) / "env")
            listed = _solve(tool, definition, prefix)
        pin = definition.with_suffix(f".{_platform(tool)}.pin.txt")
        _replace(pin, listed)
        written.append(pin)
        pip = [
            p for d in yaml.safe_load(definition.read_text())["dependencies"] if isinstance(d, dict) for p in d["pip"]
        ]
        if pip:
            script = definition.with_suffix(".post-deploy.sh")
            _replace(script, f"# Written by make pins: the pip section of {definition.name}.\n{_install(pip)}\n")
            written.append(script)
    return written


def _solve(tool: str, definition: Path, prefix: str) -> str:
    if Path(tool).name == "micromamba":
        _run(tool, "create", "--yes", "--file", str(definition), "--prefix", prefix)
        return _run(tool, "env", "export", "--explicit", "--md5", "--prefix", prefix)
    _run(tool, "env", "create", "--quiet", "--file", str(definition), "--prefix", prefix)
    return _run(tool, "list", "--explicit", "--md5", "--prefix", prefix)


def _platform(tool: str) -> str:
    return json.loads(_run(tool, "info", "--json"))["platform"]


def _install(pip: list[str]) -> str:
    return "python -m pip install --no-deps " + " ".join(pip)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def main() -> int:
    """Find a program, write the pins, say what happened."""
    tool = next(filter(None, map(shutil.which, ("conda", "mamba", "micromamba"))), None)
    if tool is None:
        print("pins: there is no conda, mamba or micromamba on the PATH, so no pin file was written", file=sys.stderr)
        return 1
    try:
        written = write_pins(tool, ENVS)
    except subprocess.CalledProcessError as e:
        print(f"pins: {' '.join(e.cmd)} failed; its channels must answer for a pin to be written", file=sys.stderr)
        return 1
    print("\n".join(f"pins: {path}" for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
