"""A stand-in for the ``conda`` program, to test how Snakemake calls it: no solver and no network.

Packages come from a local channel (``file://`` with repodata.json and .tar.bz2 archives) or, for conda-forge, from what
is installed beside this Python: then the environment is a virtual environment that sees exactly the packages that its
definition lists, with their requirements, so that a package that is missing from the definition is missing in the job.
It says nothing about whether conda-forge has these versions.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlparse

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PLATFORM = "linux-64"
# Names that differ between conda-forge and PyPI.
PYPI_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib", "typing_extensions": "typing-extensions"}

ACTIVATE = """
export CONDA_PREFIX="$1"
export PATH="$1/bin:$PATH"
"""

# Every Python that starts in the environment leaves its command line there.
WITNESS = """
import os, sys
with open(os.path.join(sys.prefix, "used.txt"), "a") as used:
    print(*sys.orig_argv, file=used)
"""


def install(folder: Path) -> Path:
    """Put ``conda`` and ``activate`` into ``folder``/bin; the folder to have on the PATH."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(ACTIVATE)
    conda = programs / "conda"
    conda.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "{folder}" "$@"\n')
    conda.chmod(0o755)
    return programs


def make_package(channel: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """Add a noarch package with executable text ``files`` to a local channel; its archive."""
    subdir = channel / "noarch"
    subdir.mkdir(parents=True, exist_ok=True)
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": [], "subdir": "noarch"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in {"info/index.json": json.dumps(index), **files}.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    package = subdir / f"{name}-{version}-0.tar.bz2"
    package.write_bytes(bz2.compress(buffer.getvalue()))
    known = subdir / "repodata.json"
    repodata = json.loads(known.read_text()) if known.exists() else {"packages": {}}
    repodata["packages"][package.name] = index | {"md5": _md5(package)}
    known.write_text(json.dumps(repodata))
    return package


def main(folder: str, *arguments: str) -> None:
    """Answer one command line of conda."""
    options = dict(zip(arguments, [*arguments[1:], ""], strict=True))
    prefix = Path(options.get("--prefix", ""))
    if arguments[0] == "--version":
        print("conda 24.7.1")
    elif arguments[0] == "info":
        print(json.dumps({"conda_prefix": folder, "platform": PLATFORM}))
    elif arguments[0] == "config":
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif arguments[:2] == ("env", "create"):
        _create_from_yaml(Path(options["--file"]), prefix)
    elif arguments[0] == "create":
        _create_from_pin(Path(options["--file"]), prefix)
    elif arguments[0] == "list":
        print("@EXPLICIT", *sorted((prefix / "conda-meta" / "urls.txt").read_text().splitlines()), sep="\n")
    elif arguments[0] != "clean":
        sys.exit(f"this stand-in does not know: conda {' '.join(arguments)}")


def _create_from_yaml(definition: Path, prefix: Path) -> None:
    content = yaml.safe_load(definition.read_text())
    conda = [d for d in content["dependencies"] if isinstance(d, str)]
    pip = [p for d in content["dependencies"] if isinstance(d, dict) for p in d["pip"]]
    channels = [c for c in content["channels"] if c != "nodefaults"]
    if channels == ["conda-forge"]:
        _link_installed(conda, pip, prefix)
        return
    for dependency in conda:
        name, _, version = dependency.partition("=")
        _extract(_find(channels, name, version), prefix)


def _create_from_pin(pin: Path, prefix: Path) -> None:
    lines = [line for line in pin.read_text().splitlines() if line and not line.startswith(("#", "@"))]
    for line in lines:
        url, _, digest = line.partition("#")
        package = Path(unquote(urlparse(url).path))
        if not package.is_file() or _md5(package) != digest:
            sys.exit(f"ChecksumMismatchError: {url} is not the package that was pinned")
        _extract(package, prefix)


def _find(channels: list[str], name: str, version: str) -> Path:
    for channel in channels:
        subdir = Path(unquote(urlparse(channel).path)) / "noarch"
        for archive, index in json.loads((subdir / "repodata.json").read_text())["packages"].items():
            if (index["name"], index["version"]) == (name, version):
                return subdir / archive
    sys.exit(f"PackagesNotFoundError: {name}={version} is in none of {channels}")


def _extract(package: Path, prefix: Path) -> None:
    with tarfile.open(package, "r:bz2") as archive:
        files = [member for member in archive.getmembers() if not member.name.startswith("info/")]
        archive.extractall(prefix, members=files, filter="data")
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    with open(prefix / "conda-meta" / "urls.txt", "a") as urls:
        print(f"{package.as_uri()}#{_md5(package)}", file=urls)


def _link_installed(conda: list[str], pip: list[str], prefix: Path) -> None:
    """A virtual environment that sees what ``conda`` and ``pip`` list, and what those need."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    (target,) = prefix.glob("lib/python3*/site-packages")
    asked = [d.partition("=")[::2] for d in conda] + [p.partition("==")[::2] for p in pip]
    todo = []
    for name, version in asked:
        if name == "python":
            continue
        name = PYPI_NAMES.get(name, name)
        found = distribution(name).version.partition("+")[0]
        if found != version:
            sys.exit(f"PackagesNotFoundError: {name}={version} is asked for and {found} is here")
        todo.append(name)
    done: set[str] = set()
    while todo:
        name = canonicalize_name(todo.pop())
        if name in done:
            continue
        done.add(name)
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform
        tops = {path.parts[0] for path in dist.files or () if not path.parts[0].startswith((".", "__pycache__"))}
        for top in tops:
            if not (target / top).is_symlink():
                os.symlink(Path(str(dist.locate_file(top))), target / top)
        for line in dist.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    (target / "sitecustomize.py").write_text(WITNESS)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
