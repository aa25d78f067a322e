"""How far a long step is, and when it will be done: one line that rewrites itself on a terminal, a few in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

# Seconds between lines: on a terminal, and in a file, where every line stays.
TERMINAL, LOG = 0.2, 60.0


class Progress:
    """Tells of ``done`` of ``total`` things; a call costs nothing between two lines.

    It is meant as the ``progress`` of a function that calls ``progress(done, total)`` after every thing it did, and as a
    context, so that the line of a terminal is ended whatever happens. What a file gets is a line a minute, and none
    about a step that takes less.

    Args:
        what: is counted, such as ``trajectories``.
        out: where to; standard error by default.
        clock: seconds, for the estimate alone.
    """

    def __init__(self, what: str, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self.out = out or sys.stderr
        self.clock = clock
        self.terminal = self.out.isatty()
        self._started = self._told = clock()
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        if self._width:
            self.out.write("\n")
            self.out.flush()
            self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` are done."""
        now = self.clock()
        last = self.terminal and done >= total
        if now - self._told < (TERMINAL if self.terminal else LOG) and not last:
            return
        self._told = now
        line = self._line(done, total, now - self._started)
        if self.terminal:
            self.out.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self.out.write(line + "\n")
        self.out.flush()

    def _line(self, done: int, total: int, seconds: float) -> str:
        share = f"{done} of {total} {self.what}, {100 * done / total:.0f} %" if total else f"{done} {self.what}"
        if done >= total:
            return f"{share}, took {clock_time(seconds)}"
        left = f", about {clock_time(seconds * (total - done) / done)} left" if done else ""
        return f"{share}, {clock_time(seconds)} so far{left}"


def clock_time(seconds: float) -> str:
    """``45 s``, ``3 min 20 s`` or ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
