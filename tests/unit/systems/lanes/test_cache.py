"""Object code on disk: used when sound, made again when not, never a reason to fail."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from strangecast.systems.lanes import compile as compiling
from strangecast.systems.lanes.compile import cache_folder, compiled
from strangecast.systems.lanes.ensemble import integrate_ensemble
from strangecast.systems.lanes.targets import available
from tests.unit.systems.lanes.graphs import CASES, starts

pytestmark = pytest.mark.skipif(available() == ("numba",), reason="this processor has no path with a cache of its own")
CASE = CASES["network"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STRANGECAST_CACHE", str(tmp_path))
    for held in (compiling._compiled, compiling._stepper):  # what this process compiled before writes no file again
        held.cache_clear()
    yield tmp_path / "kernels"
    for held in (compiling._compiled, compiling._stepper):
        held.cache_clear()


@pytest.fixture
def translations(monkeypatch):
    made = []
    translate = compiling._translate
    monkeypatch.setattr(compiling, "_translate", lambda text, target: made.append(text) or translate(text, target))
    return made


def states():
    compiling._compiled.cache_clear()
    return integrate_ensemble(CASE.graph, starts(CASE, 9), (0.0, 0.1, 20), CASE.parameters).states


def test_code_is_compiled_once(folder, translations):
    first, second = states(), states()
    assert len(translations) == 1
    assert len(list(folder.iterdir())) == 1
    np.testing.assert_array_equal(first, second)


def test_paths_have_their_own_code(folder):
    for path in available()[:-1]:
        compiled(CASE.graph, path)
    assert len(list(folder.iterdir())) == len(available()) - 1


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "head", "folder"])
def test_damaged_code_is_made_again(folder, translations, damage):
    sound = states()
    (file,) = folder.iterdir()
    raw = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        changed = {
            "flip": raw[:5000] + bytes([raw[5000] ^ 4]) + raw[5001:],
            "cut": raw[: len(raw) // 2],
            "empty": b"",
            "head": b"x" + raw[1:],
        }
        file.write_bytes(changed[damage])
    again = states()
    assert len(translations) == 2
    np.testing.assert_array_equal(sound, again)
    if damage != "folder":
        assert file.read_bytes() == raw
        states()
        assert len(translations) == 2


def test_a_folder_that_cannot_be_written_costs_time_alone(tmp_path, monkeypatch, translations):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("STRANGECAST_CACHE", str(blocked))
    first, second = states(), states()
    assert len(translations) == 2
    np.testing.assert_array_equal(first, second)


def test_what_is_used_once_is_not_kept(folder):
    found = integrate_ensemble(CASE.graph, starts(CASE, 9), (0.0, 0.1, 20), CASE.parameters, once=True)
    kept = list(folder.iterdir())
    assert len(kept) == 1  # the stepper that all systems of three coordinates share
    np.testing.assert_array_equal(found.states, states())


def test_another_process_finds_it(folder):
    sound = states()
    (file,) = folder.iterdir()
    before = file.stat().st_mtime_ns
    code = (
        "import hashlib\nfrom tests.unit.systems.lanes.test_cache import states\n"
        "from strangecast.systems.lanes import compile as c\n"
        "def refuse(*a): raise SystemExit('compiled anew')\nc._translate = refuse\n"
        "print(hashlib.sha256(states().tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    import hashlib

    assert done.stdout.strip() == hashlib.sha256(sound.tobytes()).hexdigest(), done.stderr
    assert file.stat().st_mtime_ns == before


def test_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("STRANGECAST_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("STRANGECAST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "strangecast"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "strangecast"
