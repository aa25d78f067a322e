"""Conda environments: agreement with the lock, and the wiring of --sdm conda on a stand-in for conda.

What conda-forge holds cannot be asked here: that the listed versions exist there and solve together is not tested.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from tests.workflow import conda_stand_in
from tests.workflow.line import REPOSITORY, TINY, environment, snakemake

ENVS = sorted((REPOSITORY / "envs").glob("*.yaml"))
PIN_FAILED = "Failed to install conda environment from pin file"

TOY = """
rule all:
    input: "said.txt"
    localrule: True

rule say:
    output: "said.txt"
    conda: "../envs/probe.yaml"
    shell: "probe > {output}"
"""


def lock() -> dict[str, str]:
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    return dict(line.split("#")[0].strip().split("==") for line in lines if line and not line.startswith("#"))


# Agreement


def test_there_is_an_environment_for_data_training_and_paper() -> None:
    assert [path.name for path in ENVS] == ["data.yaml", "paper.yaml", "train.yaml"]


@pytest.mark.parametrize("path", ENVS, ids=lambda p: p.stem)
def test_environment_has_the_versions_of_the_lock(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    locked = lock()
    conda = [d for d in content["dependencies"] if isinstance(d, str)]
    pip = [p for d in content["dependencies"] if isinstance(d, dict) for p in d["pip"]]
    assert conda[0] in ("python=3.11", "python=3.12", "python=3.13")
    for name, version in [d.split("=") for d in conda[1:]] + [p.split("==") for p in pip]:
        pypi = canonicalize_name(conda_stand_in.PYPI_NAMES.get(name, name))
        assert locked[pypi] == version, f"{path.name}: {name} is {version} here and {locked[pypi]} in the lock"


def test_every_rule_names_an_environment_that_exists() -> None:
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        rules = re.split(r"^rule (\w+):$", path.read_text(), flags=re.MULTILINE)[1:]
        for name, body in zip(rules[::2], rules[1::2], strict=True):
            if "shell:" in body:
                (env,) = re.findall(r'conda:\s+"\.\./(envs/\w+\.yaml)"', body) or pytest.fail(f"{name}: no conda:")
                assert (REPOSITORY / env).is_file(), f"rule {name} names {env}"


# Wiring, on a local channel


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    channel = tmp_path / "channel"
    for version in ("1.0", "2.0"):
        script = f"#!/bin/sh\necho probe {version} from $CONDA_PREFIX\n"
        conda_stand_in.make_package(channel, "probe", version, {"bin/probe": script})
    return channel


@pytest.fixture
def toy(tmp_path: Path, channel: Path) -> Path:
    folder = tmp_path / "toy"
    (folder / "rules").mkdir(parents=True)
    (folder / "envs").mkdir()
    (folder / "Snakefile").write_text('include: "rules/say.smk"\n')
    (folder / "rules" / "say.smk").write_text(TOY)
    content = {"channels": [channel.as_uri(), "nodefaults"], "dependencies": ["probe=1.0"]}
    (folder / "envs" / "probe.yaml").write_text(yaml.safe_dump(content))
    return folder


def path_with_conda(folder: Path) -> str:
    return f"{conda_stand_in.install(folder / 'conda')}{os.pathsep}{environment()['PATH']}"


def run_toy(folder: Path, path: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--sdm", "conda", "--cores", "1", "all"]
    done = subprocess.run(
        command, cwd=folder, env=environment(PATH=path), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def refuse_failed_pins(text: str) -> None:
    """Snakemake only warns when a pin file cannot be installed; here it is an error."""
    assert PIN_FAILED not in text, text


def test_environment_is_made_from_the_yaml_and_activated(toy: Path, tmp_path: Path) -> None:
    text = run_toy(toy, path_with_conda(tmp_path))
    refuse_failed_pins(text)
    said = (toy / "said.txt").read_text()
    assert said.startswith("probe 1.0 from ")
    assert "/.snakemake/conda/" in said


def test_pin_file_is_preferred_to_the_yaml(toy: Path, tmp_path: Path, channel: Path) -> None:
    package = channel / "noarch" / "probe-2.0-0.tar.bz2"
    digest = conda_stand_in._md5(package)
    (toy / "envs" / "probe.linux-64.pin.txt").write_text(f"@EXPLICIT\n{package.as_uri()}#{digest}\n")
    text = run_toy(toy, path_with_conda(tmp_path))
    refuse_failed_pins(text)
    assert "Using pinnings from" in text
    assert (toy / "said.txt").read_text().startswith("probe 2.0 from ")


def test_broken_pin_file_is_noticed(toy: Path, tmp_path: Path, channel: Path) -> None:
    package = channel / "noarch" / "probe-2.0-0.tar.bz2"
    (toy / "envs" / "probe.linux-64.pin.txt").write_text(f"@EXPLICIT\n{package.as_uri()}#{'0' * 32}\n")
    text = run_toy(toy, path_with_conda(tmp_path))  # Snakemake itself succeeds, with the YAML
    with pytest.raises(AssertionError):
        refuse_failed_pins(text)
    assert (toy / "said.txt").read_text().startswith("probe 1.0 from ")


def test_pins_are_written_and_used(toy: Path, tmp_path: Path) -> None:
    (toy / "envs" / "pins.py").write_text((REPOSITORY / "envs" / "pins.py").read_text())
    path = path_with_conda(tmp_path)
    done = subprocess.run(
        [sys.executable, "envs/pins.py"], cwd=toy, env=environment(PATH=path), text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    pin = toy / "envs" / "probe.linux-64.pin.txt"
    assert re.fullmatch(r"@EXPLICIT\nfile://\S+/probe-1.0-0.tar.bz2#[0-9a-f]{32}\n", pin.read_text())
    text = run_toy(toy, path)
    refuse_failed_pins(text)
    assert "Using pinnings from" in text


def test_pins_without_conda_say_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "envs" / "pins.py")],
        env=environment(PATH=str(tmp_path)), text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no conda, mamba or micromamba" in done.stderr


def test_pin_brings_the_pip_section_along(tmp_path: Path, channel: Path) -> None:
    sys.path.insert(0, str(REPOSITORY / "envs"))
    try:
        import pins
    finally:
        sys.path.pop(0)
    envs = tmp_path / "envs"
    envs.mkdir()
    content = {"channels": [channel.as_uri()], "dependencies": ["probe=1.0", {"pip": ["dysts==0.96"]}]}
    (envs / "probe.yaml").write_text(yaml.safe_dump(content))
    conda = conda_stand_in.install(tmp_path / "conda") / "conda"
    written = pins.write_pins(str(conda), envs)
    assert [path.name for path in written] == ["probe.linux-64.pin.txt", "probe.post-deploy.sh"]
    assert "python -m pip install --no-deps dysts==0.96\n" in written[1].read_text()


# The real rules, in environments that see only what envs/*.yaml list


@pytest.mark.slow
def test_rules_run_in_their_environments(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    one_system = {"overrides": [*TINY, "corpus.chaos.systems=[Lorenz]"]}
    text = snakemake(folder, "all", settings=one_system, options=("--sdm", "conda"), PATH=path_with_conda(tmp_path))
    refuse_failed_pins(text)
    used = {}
    for witness in (folder / ".snakemake" / "conda").glob("*/used.txt"):
        definition = witness.parent.with_suffix(".yaml").read_text()
        name = next(path.stem for path in ENVS if path.read_text() == definition)
        used[name] = witness.read_text()
    verbs = {"data": ("generate", "filter", "score"), "train": ("train", "forecast"), "paper": ("figure", "paper")}
    assert sorted(used) == sorted(verbs)
    for name, expected in verbs.items():
        for verb in expected:
            assert f"-m strangecast {verb} " in used[name], f"{verb} did not run in {name}:\n{used[name]}"
