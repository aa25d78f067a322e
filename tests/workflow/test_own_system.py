"""A user with equations follows docs/add_a_system.md to the letter, in a clone of their own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from strangecast.core.errors import ConfigError
from strangecast.systems.tracing import trace
from tests.pages import REPOSITORY, blocks, clone, inline, recipe_files
from tests.workflow.test_newcomer import lines, run
from tests.workflow.test_own_data import python

pytestmark = pytest.mark.slow
PAGE = REPOSITORY / "docs" / "add_a_system.md"
BY_HAND = ("training.updates=40", "training.validate_every=20")


@pytest.fixture(scope="module")
def user(tmp_path_factory) -> Path:
    """A clone with the two files of the page."""
    folder = clone(tmp_path_factory.mktemp("system") / "strangecast")
    files = recipe_files(PAGE)
    assert [Path(f).name for f in files] == ["driven_pendulum.py", "driven_pendulum.yaml"]
    for path, text in files.items():
        assert not (folder / path).exists(), path
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_the_class_is_short():
    (text,) = [t for p, t in recipe_files(PAGE).items() if p.endswith(".py")]
    assert len([line for line in text.splitlines() if line.strip()]) <= 25


def test_every_command_works(user):
    commands = lines(PAGE, "strangecast")
    assert [line.split()[1] for line in commands] == ["list", "show", "generate", "windows", "train"]
    for line in commands:
        printed = run(user, line, *(BY_HAND if "training=" in line else ()))
        if line.split()[1] == "list":
            assert "driven_pendulum" in printed.split()
        if line.split()[1] == "show":
            assert "torque: 1.5" in printed
    spec = json.loads(label(user, "spec"))
    assert [c["name"] for c in spec["channels"]] == ["sin_theta", "cos_theta", "omega"]
    assert spec["lyapunov"] > 0.05


def test_the_snippet_works(user):
    snippet = blocks(PAGE, "python")[1].text
    printed = python(user, snippet)
    assert re.search(r"(rk4|dop853) \d+ \d", printed)
    numbers = [float(x) for x in re.findall(r"-?\d+\.\d*(?:e-?\d+)?", printed)]
    assert numbers[:3] == pytest.approx([0.0, 1.5 - np.sin(0.2), 0.6667], abs=1e-6)


def test_the_sentences_are_the_ones_said():
    said = [w for w in inline(PAGE) if w.startswith("x if") or w.startswith("np.arccosh")]
    assert said == ["x if x > 0 else -x", "np.arccosh(x)"]
    text = PAGE.read_text(encoding="utf-8")
    for function in (
        lambda t, s, p: [x if x > 0 else -x for x in s],
        lambda t, s, p: (s[0], s[1]),
        lambda t, s, p: np.arccosh(s),
    ):
        with pytest.raises(ConfigError) as caught:
            trace(function, 3, 0, name="driven_pendulum")
        start = re.split(r" \(|; |\.\.\.", str(caught.value))[0]
        assert start in text, start


def test_an_edited_class_makes_new_data(user):
    generate = next(line for line in lines(PAGE, "strangecast") if " generate " in line)
    (path,) = [user / p for p in recipe_files(PAGE) if p.endswith(".py")]
    made = []
    for torque in ("torque * np.cos", "1.0 * torque * np.cos"):
        path.write_text(path.read_text(encoding="utf-8").replace("torque * np.cos", torque), encoding="utf-8")
        run(user, f"{generate} --force")
        made.append(label(user, "made"))
    assert made[0] != made[1]


def label(folder: Path, name: str) -> str:
    """A label of the first shard."""
    (shard, *_) = sorted((folder / "results/smoke/data/chaos-driven_pendulum").glob("shard-*.arrow"))
    with pa.memory_map(str(shard)) as file:
        return pa.ipc.open_file(file).schema.metadata[f"strangecast.{name}".encode()].decode()


def test_the_page_needs_nothing_of_this_machine():
    text = PAGE.read_text(encoding="utf-8")
    assert str(REPOSITORY) not in text
    assert os.path.expanduser("~") not in text
