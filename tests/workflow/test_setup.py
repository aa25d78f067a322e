"""Set-up: ranges and lock agree, and `make` says in one sentence what is missing.

The installation itself is tried with a stand-in for Python that writes down what it is asked to do.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "envs"
ACCELERATOR = ("nvidia-", "triton", "pytorch-triton", "cuda-")  # come with the chosen build of torch

# Answers what envs/setup.sh asks of a Python, and logs everything else; `-m venv` installs the same program.
PYTHON = """#!/bin/sh
log="{log}"
case "$*" in
*version_info*) exit {wrong_version} ;;
*platform*) echo 3.9.2 ;;
--version) echo "Python 3.12.1" ;;
*ensurepip*) exit {no_venv} ;;
"-c ") exit 0 ;;
"-m venv --clear .venv")
    echo "venv" >> "$log"
    mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
"-m pip "*)
    shift 2
    echo "$*" >> "$log"
    case "$*" in *{fail_at}*) exit 1 ;; esac ;;
*) echo "unexpected: $*" >> "$log"; exit 9 ;;
esac
"""


def lock() -> dict[str, str]:
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    pins = [line.split("#")[0].strip().split("==") for line in lines if line and not line.startswith("#")]
    names = [name for name, _ in pins]
    assert len(set(names)) == len(names)
    return dict(pins)


def stated() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [Requirement(line) for line in (*project["dependencies"], *extras["test"], *extras["lint"])]


# Ranges and versions


def test_lock_is_inside_the_ranges_of_pyproject() -> None:
    locked = lock()
    for requirement in stated():
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{requirement} is not in requirements.lock"
        assert requirement.specifier.contains(locked[name]), f"{requirement}, but the lock says {locked[name]}"


def test_lock_holds_the_whole_closure_and_nothing_else() -> None:
    locked = lock()
    environment = default_environment()
    todo = [(r.name, frozenset(r.extras)) for r in stated()]
    seen = set()
    while todo:
        name, extras = todo.pop()
        name = canonicalize_name(name)
        if (name, extras) in seen or name.startswith(ACCELERATOR):
            continue
        seen.add((name, extras))
        assert name in locked, f"{name} is needed and not in requirements.lock; run make lock"
        try:
            found = distribution(name)
        except PackageNotFoundError:
            pytest.fail(f"{name} is needed and not installed here")
        assert found.version.partition("+")[0] == locked[name], f"{name} {found.version} is installed"
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({**environment, "extra": extra}) for extra in extras | {""}
            ):
                todo.append((needed.name, frozenset(needed.extras)))
    unused = set(locked) - {name for name, _ in seen} - {"pip", "setuptools"}
    assert not unused, f"in requirements.lock and needed by nothing: {sorted(unused)}"


def test_lock_is_what_make_lock_writes(tmp_path: Path) -> None:
    shutil.copytree(SCRIPTS, tmp_path / "envs")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    subprocess.run([sys.executable, "envs/lock.py"], cwd=tmp_path, check=True)
    assert (tmp_path / "requirements.lock").read_text() == (REPOSITORY / "requirements.lock").read_text()


def test_lock_pins_exactly_and_names_no_host() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*\s+# .+", line), line
    assert "://" not in text
    assert "--" not in text
    assert text.splitlines()[3].startswith("torch==2.13.0 ")


# `make setup`


class Folder:
    """A repository of set-up files only, with a stand-in for python3 on the PATH."""

    def __init__(self, root: Path) -> None:
        self.path = root / "a folder with spaces"
        self.programs = root / "programs"
        self.log = root / "log.txt"
        self.path.mkdir()
        self.programs.mkdir()
        for name in ("Makefile", "pyproject.toml", "requirements.lock"):
            shutil.copy(REPOSITORY / name, self.path)
        (self.path / "envs").mkdir()
        for name in ("setup.sh", "outputs.sh"):
            shutil.copy(SCRIPTS / name, self.path / "envs")
        for tool in ("sh", "make", "sed", "cksum", "rm", "mv", "mkdir", "cp", "cat", "tail", "flock", "sleep", "echo"):
            if found := shutil.which(tool):
                (self.programs / tool).symlink_to(found)

    def python(
        self, name: str = "python3", *, version: bool = True, venv: bool = True, fail_at: str = "nothing"
    ) -> None:
        text = PYTHON.format(log=self.log, wrong_version=int(not version), no_venv=int(not venv), fail_at=fail_at)
        program = self.programs / name
        program.unlink(missing_ok=True)
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        environment = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG")} | {"PATH": str(self.programs)}
        return subprocess.run(
            ["make", *(arguments or ("setup",))], cwd=self.path, env=environment, text=True, capture_output=True
        )

    def logged(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def sentence(done: subprocess.CompletedProcess) -> str:
    """The one line on stderr that is not make's own, of a run that failed."""
    assert done.returncode != 0, done.stdout
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_installs_in_order_and_only_once(folder: Folder) -> None:
    folder.python()
    done = folder.make()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("set-up: .venv is ready\n")
    locked = lock()
    assert folder.logged() == [
        "venv",
        f"--disable-pip-version-check install -qq pip=={locked['pip']} setuptools=={locked['setuptools']}",
        "--disable-pip-version-check install --constraint requirements.lock torch==2.13.0",
        "--disable-pip-version-check install -qq --no-build-isolation --requirement requirements.lock",
        "--disable-pip-version-check install -qq --no-build-isolation --no-deps --editable .",
    ]
    assert folder.make().stdout == ""
    assert folder.logged() == []
    assert not list(folder.path.glob("*.part"))


@pytest.mark.parametrize(
    ("build", "index"), [("cpu", "whl/cpu"), ("rocm", "whl/rocm"), ("cu", None)], ids=["cpu", "rocm", "cu"]
)
def test_torch_chooses_the_build(folder: Folder, build: str, index: str | None) -> None:
    folder.python()
    assert folder.make("setup", f"TORCH={build}").returncode == 0
    (torch,) = [line for line in folder.logged() if line.endswith("torch==2.13.0")]
    assert ("--index-url" in torch) == (index is not None)
    assert index is None or f"/{index}" in torch
    assert folder.make().stdout == ""  # without TORCH the build that is there is kept
    assert folder.make("setup", f"TORCH={build}").stdout == ""
    other = "cu" if build == "cpu" else "cpu"
    assert folder.make("setup", f"TORCH={other}").returncode == 0
    assert folder.logged()[0] == "venv"  # another build starts afresh


def test_index_of_torch_can_be_named(folder: Folder) -> None:
    folder.python()
    assert folder.make("setup", "TORCH=cpu", "TORCH_INDEX=file:///mirror").returncode == 0
    assert any("--index-url file:///mirror/cpu torch==2.13.0" in line for line in folder.logged())


def test_unknown_build_is_refused(folder: Folder) -> None:
    folder.python()
    assert "TORCH=gpu is not a build of PyTorch" in sentence(folder.make("setup", "TORCH=gpu"))
    assert folder.logged() == []


def test_changed_lock_updates_what_is_there(folder: Folder) -> None:
    folder.python()
    folder.make("setup", "TORCH=cpu")
    folder.logged()
    with open(folder.path / "requirements.lock", "a") as changed:
        changed.write("six==1.17.0  # one more\n")
    done = folder.make()
    assert "requirements.lock has changed" in done.stdout
    logged = folder.logged()
    assert "venv" not in logged
    assert any("/cpu torch==2.13.0" in line for line in logged)  # the build that was chosen before
    assert folder.make().stdout == ""


def test_moved_folder_is_set_up_again(folder: Folder) -> None:
    folder.python()
    folder.make()
    folder.logged()
    folder.path = folder.path.rename(folder.path.with_name("moved"))
    assert folder.make().returncode == 0
    assert folder.logged()[0] == "venv"


@pytest.mark.parametrize("step", ["torch==2.13.0", "--requirement", "--editable"])
def test_interrupted_installation_starts_again(folder: Folder, step: str) -> None:
    folder.python(fail_at=step)
    assert folder.make().returncode != 0
    assert folder.logged()[-1].count(step)
    folder.python()
    assert folder.make().returncode == 0
    assert folder.logged()[0] == "venv"
    assert folder.make().stdout == ""


def test_parallel_make_sets_up_once(folder: Folder) -> None:
    folder.python()
    assert folder.make("-j4", "setup", "setup").returncode == 0
    assert folder.logged().count("venv") == 1


@pytest.mark.skipif(shutil.which("flock") is None, reason="two set-ups at once wait for each other through flock")
def test_two_makes_at_once_set_up_once(folder: Folder) -> None:
    folder.python()
    command = ["make", "setup"]
    environment = {"PATH": str(folder.programs)}
    running = [subprocess.Popen(command, cwd=folder.path, env=environment, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert folder.logged().count("venv") == 1


def test_wrong_python_is_refused(folder: Folder) -> None:
    folder.python(version=False)
    said = sentence(folder.make())
    assert "Python 3.11, 3.12 or 3.13 is needed and python3 is 3.9.2" in said
    assert "make PYTHON=" in said
    assert folder.logged() == []


def test_another_python_on_the_path_is_found(folder: Folder) -> None:
    folder.python(version=False)
    folder.python("python3.12")
    assert folder.make().returncode == 0
    assert folder.logged()[0] == "venv"


def test_named_python_is_used_and_no_other(folder: Folder) -> None:
    folder.python("python3.12")
    folder.python("old", version=False)
    assert "old is 3.9.2" in sentence(folder.make("setup", "PYTHON=old"))
    assert "there is no PYTHON=absent here" in sentence(folder.make("setup", "PYTHON=absent"))
    assert folder.make("setup", "PYTHON=python3.12").returncode == 0


def test_no_python_is_said(folder: Folder) -> None:
    assert "apt install python3 python3-venv" in sentence(folder.make())


def test_missing_ensurepip_names_the_package(folder: Folder) -> None:
    folder.python(venv=False)
    assert "apt install python3-venv" in sentence(folder.make())
    assert folder.logged() == []
    assert not (folder.path / ".venv").exists()


@pytest.mark.parametrize("target", ["paper", "figures", "test", "test-quick", "lint", "pins"])
def test_every_target_sets_up_first(folder: Folder, target: str) -> None:
    folder.python(venv=False)
    assert "apt install python3-venv" in sentence(folder.make(target))


# `make paper` and `make test`


def test_commands_of_the_targets() -> None:
    def commands(*arguments: str) -> str:
        return subprocess.run(
            ["make", "--dry-run", *arguments], cwd=REPOSITORY, check=True, text=True, capture_output=True
        ).stdout

    assert "snakemake all --config scale=smoke" in commands("paper", "SCALE=smoke")
    assert "--config" not in commands("paper")
    assert '-m "not slow and not slurm and not gpu"' in commands("test-quick")
    assert "OMP_NUM_THREADS=1" in commands("test")
    assert "apt" not in commands("test")


def test_end_of_a_run_tells_where_everything_is(tmp_path: Path) -> None:
    for name in ("results/full/crossover/tables/a.csv", "results/full/paper.pdf", "figures/full/crossover/b.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "config.yaml").write_text("# scale: not this\nscale: laptop\n")
    (tmp_path / "config.local.yaml").write_text('scale: "full"  # mine\n')

    def said(*arguments: str) -> str:
        command = ["sh", str(SCRIPTS / "outputs.sh"), *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, text=True, capture_output=True).stdout

    lines = ["tables    results/full/crossover/tables", "figures   figures/full/crossover"]
    lines += ["PDF       results/full/paper.pdf"]
    assert said() == "The paper at scale full:\n" + "".join(f"  {line}\n" for line in lines)
    assert said("smoke") == "The paper at scale smoke:\n"


def test_only_ci_installs_system_packages() -> None:
    files = [
        REPOSITORY / "Makefile",
        *SCRIPTS.glob("*.sh"),
        *SCRIPTS.glob("*.py"),
        REPOSITORY / "tests" / "conftest.py",
    ]
    for path in files:
        assert "apt-get" not in path.read_text(), path
    ci = (REPOSITORY / ".ci" / "run").read_text()
    assert "apt-get update" in ci
    assert "sudo" not in ci
