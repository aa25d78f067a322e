"""What made a result: versions of the libraries that decide its bits, and the device."""

from __future__ import annotations

import platform
from importlib import metadata

_LIBRARIES = ("strangecast", "torch", "numpy", "scipy", "pandas", "pyarrow", "numba", "dysts", "statsmodels")


def versions() -> dict[str, str]:
    """Installed versions of the libraries whose change can move a result, and of Python (imports none of them)."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
