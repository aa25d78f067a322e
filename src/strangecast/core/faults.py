"""A hook for tests: end this process at a named moment, as a power cut would.

``STRANGECAST_FAULT=before_rename:weights.safetensors`` kills the process with SIGKILL between write and rename of
the first file of that name. Unset, the hook costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal


def fault(moment: str, name: str = "") -> None:
    """Kill this process if ``STRANGECAST_FAULT`` names this ``moment`` (and ``name``, where it gives one)."""
    wanted = os.environ.get("STRANGECAST_FAULT")
    if wanted and wanted in (moment, f"{moment}:{name}"):
        os.kill(os.getpid(), signal.SIGKILL)
