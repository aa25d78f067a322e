"""The line that tells how far a step is, on a terminal and in a log."""

from __future__ import annotations

import io
import itertools

import pytest

from strangecast.core.progress import LOG, Progress, clock_time


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_gets_one_line_that_rewrites_itself():
    out, clock = Terminal(), Clock()
    with Progress("trajectories", out, clock) as progress:
        for done in range(1, 101):
            clock.now += 1.0
            progress(done, 100)
    text = out.getvalue()
    assert text.count("\n") == 1
    lines = text.rstrip("\n").split("\r")[1:]
    assert len(lines) == 100
    assert lines[24].strip() == "25 of 100 trajectories, 25 %, 25 s so far, about 1 min 15 s left"
    assert lines[-1].strip() == "100 of 100 trajectories, 100 %, took 1 min 40 s"
    # A shorter line covers the longer one it replaces.
    assert all(len(b) >= len(a.rstrip()) for a, b in itertools.pairwise(lines))


def test_what_is_fast_is_not_written_at_every_call():
    out, clock = Terminal(), Clock()
    with Progress("trajectories", out, clock) as progress:
        for done in range(1, 1001):
            clock.now += 0.001
            progress(done, 1000)
    assert out.getvalue().count("\r") == 5


def test_a_log_stays_quiet():
    out, clock = io.StringIO(), Clock()
    with Progress("shards", out, clock) as progress:
        for done in range(1, 11):
            clock.now += LOG / 20
            progress(done, 10)
    assert out.getvalue() == ""
    with Progress("shards", out, clock) as progress:
        for done in range(1, 11):
            clock.now += LOG / 2
            progress(done, 10)
    assert out.getvalue().splitlines()[0] == "2 of 10 shards, 20 %, 1 min 00 s so far, about 4 min 00 s left"
    assert len(out.getvalue().splitlines()) == 5
    assert "\r" not in out.getvalue()


def test_an_interruption_ends_the_line():
    out, clock = Terminal(), Clock()
    with pytest.raises(KeyboardInterrupt), Progress("shards", out, clock) as progress:
        clock.now += 1.0
        progress(1, 3)
        raise KeyboardInterrupt
    assert out.getvalue().endswith("left\n")


def test_nothing_done_yet_has_no_estimate():
    out, clock = Terminal(), Clock()
    with Progress("shards", out, clock) as progress:
        clock.now += 3.0
        progress(0, 3)
    assert out.getvalue() == "\r0 of 3 shards, 0 %, 3 s so far\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")]
)
def test_durations(seconds, text):
    assert clock_time(seconds) == text
