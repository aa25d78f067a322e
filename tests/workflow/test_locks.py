"""Freeing a folder that a killed Snakemake left locked, and leaving one alone that is in use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from strangecast.core.errors import ResultsError
from strangecast.workflow import locks

SNAKEFILE = """
rule all:
    output: "done.txt"
    shell: "sleep 60; touch {output}"
"""


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    (folder / ".snakemake" / "locks").mkdir(parents=True)
    (folder / ".snakemake" / "locks" / "0.output.lock").write_text("done.txt\n")
    return folder


def test_free_folder_is_left_as_it_is(tmp_path: Path) -> None:
    done = locks.unlock(tmp_path)
    assert not done.freed
    assert "not locked" in done.sentence
    assert not list(tmp_path.iterdir())


def test_stale_lock_is_removed(locked: Path) -> None:
    assert locks.unlock(locked).freed
    assert not (locked / ".snakemake" / "locks").exists()
    assert not locks.unlock(locked).freed


@pytest.mark.parametrize("command", [["-m", "snakemake"], ["/somewhere/bin/snakemake"]])
def test_living_snakemake_keeps_its_locks(locked: Path, tmp_path: Path, command: list[str]) -> None:
    # Not a real Snakemake: a process whose command line is one, so that the test says exactly what is looked at.
    (tmp_path / "snakemake").mkdir()
    (tmp_path / "snakemake" / "__main__.py").write_text("import time; time.sleep(60)")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "snakemake").write_text("import time; time.sleep(60)")
    command = [word.replace("/somewhere", str(tmp_path)) for word in command]
    process = subprocess.Popen([sys.executable, *command], cwd=locked, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    try:
        done = locks.unlock(locked)
        assert not done.freed
        assert str(process.pid) in done.sentence
        assert (locked / ".snakemake" / "locks" / "0.output.lock").exists()
        assert locks.holders(tmp_path) == []  # it works in another folder
    finally:
        process.kill()
        process.wait()
    assert locks.unlock(locked).freed


def test_other_processes_in_the_folder_do_not_hold_it(locked: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # snakemake"], cwd=locked)
    try:
        assert locks.unlock(locked).freed
    finally:
        process.kill()
        process.wait()


def test_shared_file_system_is_not_unlocked(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_file_system", lambda folder: "nfs4")
    done = locks.unlock(locked)
    assert not done.freed
    assert "snakemake --unlock" in done.sentence
    assert (locked / ".snakemake" / "locks" / "0.output.lock").exists()


def test_file_system_of_the_root_is_known() -> None:
    assert locks._file_system(Path("/")) != ""


def test_locks_that_cannot_be_removed_give_a_sentence(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(locks.shutil, "rmtree", refuse)
    with pytest.raises(ResultsError, match="cannot remove the locks"):
        locks.unlock(locked)


def test_killed_snakemake_is_unlocked(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    run = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    process = subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(lambda: any((tmp_path / ".snakemake" / "locks").glob("*.lock")))
        assert locks.holders(tmp_path) == [process.pid]
        assert not locks.unlock(tmp_path).freed
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert locks.unlock(tmp_path).freed
    again = subprocess.run([*run, "--dry-run"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr


def _wait_for(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)
