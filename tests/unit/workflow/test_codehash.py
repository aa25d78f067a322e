"""The code hash sees what can change a result, and nothing else."""

from __future__ import annotations

import pytest

from strangecast.core.errors import ConfigError
from strangecast.workflow.cache import Cache
from strangecast.workflow.codehash import CodeHash, targets


@pytest.fixture
def package(tmp_path):
    """job -> layers -> (numbers); one -> layers; two alone."""
    root = tmp_path / "pack"
    root.mkdir()
    (root / "__init__.py").write_text('"""Doc."""\n')
    (root / "numbers.py").write_text("ONE = 1\n")
    (root / "layers.py").write_text("from pack.numbers import ONE\n\n\ndef f(x):\n    return x + ONE\n")
    (root / "one.py").write_text("from pack import layers\n\n\nclass One:\n    pass\n")
    (root / "two.py").write_text('class Two:\n    """Two."""\n\n    x = 2\n')
    (root / "job.py").write_text("import numpy\n")
    return root


def hashes(package, cache=None):
    code = CodeHash(cache, package)
    return {n: code.of("pack.job", config={"_target_": f"pack.{n}.{n.title()}"}) for n in ("one", "two")}


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("two.py", "x = 2", "x = 3", {"two"}),
        ("one.py", "pass", "y = 1", {"one"}),
        ("layers.py", "x + ONE", "x - ONE", {"one"}),
        ("numbers.py", "ONE = 1", "ONE = 2", {"one"}),
        ("job.py", "import numpy", "import numpy\nz = 1", {"one", "two"}),
        ("two.py", "x = 2", "x = 2  # two", set()),
        ("two.py", '"""Two."""', '"""Something else."""', set()),
        ("layers.py", "\n\n\ndef", "\n\n\n\n# why\ndef", set()),
        ("__init__.py", '"""Doc."""', '"""Other words."""', set()),
    ],
)
def test_what_changes_what(package, file, old, new, changed):
    before = hashes(package)
    change(package / file, old, new)
    after = hashes(package)
    assert {n for n in before if before[n] != after[n]} == changed


def test_a_docstring_is_only_the_first_string(package):
    before = hashes(package)
    change(package / "two.py", "x = 2", 'x = 2\n    "a string that is no docstring"')
    assert hashes(package)["two"] != before["two"]


def test_cached_and_fresh_agree(package, tmp_path):
    cache = Cache(tmp_path / "cache.json")
    first = hashes(package, cache)
    cache.save()
    assert hashes(package, Cache(tmp_path / "cache.json")) == first == hashes(package)


def test_a_target_that_does_not_exist(package):
    with pytest.raises(ConfigError, match=r"_target_ 'pack\.missing\.Thing' names no module of pack"):
        CodeHash(None, package).of("pack.job", config={"_target_": "pack.missing.Thing"})


def test_targets_are_found_at_any_depth():
    config = {"_target_": "a.A", "optimizer": {"_target_": "b.B"}, "list": [{"_target_": "c.C"}]}
    assert targets(config) == ["a.A", "b.B", "c.C"]


def test_relative_imports_and_packages_above_are_followed(package):
    (package / "sub").mkdir()
    (package / "sub" / "__init__.py").write_text("")
    (package / "sub" / "net.py").write_text(
        "from .layer import L\nfrom ..numbers import ONE\n\n\nclass Net:\n    pass\n"
    )
    (package / "sub" / "layer.py").write_text("L = 1\n")

    def of():
        return CodeHash(None, package).of("pack.job", config={"_target_": "pack.sub.net.Net"})

    hashes = [of()]
    for file, old, new in (
        ("sub/layer.py", "L = 1", "L = 2"),
        ("numbers.py", "ONE = 1", "ONE = 2"),
        ("sub/__init__.py", "", "X = 1\n"),
    ):
        change(package / file, old, new)
        hashes.append(of())
    assert len(set(hashes)) == 4


def test_library_imports_are_not_followed(package):
    code = CodeHash(None, package)
    assert code.of("pack.job", config={"_target_": "numpy.linalg.norm"}) == code.of("pack.job", "numpy")


def test_what_only_a_type_checker_imports_changes_nothing(package):
    text = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from pack import two\nelse:\n    from pack import one\n"
    (package / "job.py").write_text(text)
    code = CodeHash(None, package).of("pack.job")
    change(package / "two.py", "x = 2", "x = 3")
    assert CodeHash(None, package).of("pack.job") == code
    change(package / "one.py", "pass", "y = 1")
    assert CodeHash(None, package).of("pack.job") != code


def test_training_sees_no_simulator_unless_it_needs_one():
    from strangecast.core.targets import SYSTEMS

    def closure(*roots):
        code, seen, waiting = CodeHash(), set(), list(roots)
        while waiting:
            name = waiting.pop()
            parsed = code._parse(name)
            if parsed is not None and name not in seen:
                seen.add(name)
                waiting += parsed[1]
        return seen

    job = closure("strangecast.training.job", "strangecast.training.supervised", "strangecast.emulators.mlp")
    assert not [m for m in job if m.startswith("strangecast.systems.")]
    assert "strangecast.systems.integrate" in closure(SYSTEMS)
