"""Write requirements.lock from the packages installed in this environment: `make lock`.

The lock is the closure of pyproject.toml's dependencies and of its `test` and `lint` extras, one exact version per line
and, behind it, who asks for it. CUDA and ROCm libraries are left out: the build of torch that is chosen brings its own.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("test", "lint")
INSTALLERS = ("pip", "setuptools")  # installed before everything else, so that sdists are built by known versions
ACCELERATOR = ("nvidia-", "triton", "pytorch-triton", "cuda-")  # what a CUDA or ROCm build of torch asks for

HEADER = """\
# Exact versions of everything that is installed, on Python 3.11, 3.12 and 3.13; pyproject.toml says the ranges.
# Behind each line: who states it, or which dependencies of pyproject.toml need it. `make lock` writes this file.
# torch is installed first and alone, so that the build is chosen once; its CUDA or ROCm libraries come with it.
"""


def direct_requirements() -> dict[str, list[Requirement]]:
    """The requirements that pyproject.toml states: label ('' or the extra's name) -> requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = {"": project["dependencies"]} | {extra: project["optional-dependencies"][extra] for extra in EXTRAS}
    return {label: [Requirement(line) for line in lines] for label, lines in stated.items()}


def closure(requirement: Requirement) -> set[str]:
    """Names of everything that ``requirement`` needs here, itself included; accelerator libraries excluded."""
    environment = default_environment()
    found: set[str] = set()
    todo = [(requirement.name, frozenset(requirement.extras))]
    done = set()
    while todo:
        name, extras = todo.pop()
        name = canonicalize_name(name)
        if (name, extras) in done or name.startswith(ACCELERATOR):
            continue
        done.add((name, extras))
        found.add(name)
        for line in distribution(name).requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({**environment, "extra": extra}) for extra in extras | {""}
            ):
                todo.append((needed.name, frozenset(needed.extras)))
    return found


def asked_by() -> dict[str, list[str]]:
    """Name of every needed package -> the stated requirements that lead to it."""
    reasons: dict[str, set[str]] = {name: set() for name in INSTALLERS}
    for label, requirements in direct_requirements().items():
        for requirement in requirements:
            origin = canonicalize_name(requirement.name) + (f" [{label}]" if label else "")
            for name in closure(requirement):
                reasons.setdefault(name, set()).add(origin)
    return {name: sorted(origins) for name, origins in sorted(reasons.items())}


def lock_text() -> str:
    """The whole text of the lock for the packages installed here."""
    first = ("torch", *INSTALLERS)
    reasons = asked_by()
    lines = []
    for name in (*first, *(other for other in reasons if other not in first)):
        version = distribution(name).version.partition("+")[0]
        origins = [origin.replace(name, "pyproject.toml") for origin in reasons[name] if origin.split(" ")[0] == name]
        why = ", ".join(origins or reasons[name] or ["the installation itself"])
        lines.append(f"{f'{name}=={version}':<52}# {why}")
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / "requirements.lock").write_text(lock_text(), encoding="utf-8")
