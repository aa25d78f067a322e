"""Errors a user can cause: one sentence that names the thing, what was found and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StrangecastError(Exception):
    """Base of everything the command line prints without a traceback (exit status 2)."""


class ConfigError(StrangecastError):
    """A key, name, value or combination in the configuration that cannot work."""


class DataError(StrangecastError):
    """Data that are missing, damaged, or of the wrong shape."""


class ResultsError(StrangecastError):
    """A results folder that cannot be read or written as it is."""


def unknown(kind: str, found: str, allowed: Iterable[str]) -> str:
    """The sentence for a name that does not exist, with the nearest valid spelling first."""
    names = sorted(allowed)
    lowered = {name.lower(): name for name in names}
    close = [lowered[c] for c in difflib.get_close_matches(found.lower(), list(lowered), n=3, cutoff=0.5)]
    sentence = f"there is no {kind} '{found}'"
    if close:
        sentence += f"; did you mean {' or '.join(repr(c) for c in close)}?"
    shown = ", ".join(names[:40]) + (f", ... ({len(names)} in all)" if len(names) > 40 else "")
    return f"{sentence} (allowed: {shown or 'none'})"
