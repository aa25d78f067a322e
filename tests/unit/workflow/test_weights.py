"""Runs that use, or start from, what is not trained here: pretrained folders, and runs that nothing scores."""

from __future__ import annotations

import json

import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.core.plans import SETTINGS_VARIABLE, plan_path, read_plan
from strangecast.workflow.cache import Cache
from strangecast.workflow.pretrained import Pretrained
from tests.unit.workflow.conftest import OPTIONS, study

TOKENS = OPTIONS["emulator/mlp"] | {"weights": "tiny"}
TOKENS["can"] = TOKENS["can"] | {"pooled": True, "probabilistic": True}
RUNS = [
    {"data": "none", "emulator": "persistence"},
    {"data": "none", "emulator": "tokens", "label": "zero-shot"},
    {"data": "chaos", "emulator": "tokens", "training": "supervised", "label": "fine-tuned", "trained_on_system": True},
]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    return folder


def plan_with(make_plan, folders, tokens=TOKENS, runs=RUNS):
    return make_plan({"emulator/tokens": tokens, **study(runs=runs)}, pretrained=Pretrained(folders, Cache(None)))


def test_absent_weights_are_stated_and_start_no_job(make_plan):
    plan = plan_with(make_plan, {})
    rows = plan.studies["small"]["runs"]
    assert {r["label"]: r["status"] for r in rows} == {
        "Persistence": None, "zero-shot": "weights absent", "fine-tuned": "weights absent",
    }  # fmt: skip
    assert all(r["folder"] is None for r in rows if r["status"])
    assert {b["emulator"]["name"] for b in plan.blocks.values()} == {"persistence"}
    assert plan.studies["small"]["blocks"] == list(plan.blocks)
    assert plan.absent_weights == ["tiny"]


def test_a_zero_shot_twin_and_a_fine_tuned_run_share_the_folder(make_plan, folder):
    plan = plan_with(make_plan, {"tiny": str(folder)})
    by_name = {b["emulator"]["name"] + str(b["training"] is None): b for b in plan.blocks.values()}
    twin, tuned = by_name["tokensTrue"], by_name["tokensFalse"]
    assert twin["training"] is None
    assert twin["members"][0]["dataset"] is None
    assert twin["emulator"]["weights"] == tuned["emulator"]["weights"]
    assert twin["emulator"]["weights"]["folder"] == str(folder)
    assert len(tuned["members"][0]["datasets"]) == 4
    assert "pooled" in tuned["folder"]


def test_other_weights_make_other_keys_and_another_folder_with_the_same_does_not(make_plan, folder, tmp_path):
    key = lambda plan: [m["static_key"] for b in plan.blocks.values() for m in b["members"]]  # noqa: E731
    before = key(plan_with(make_plan, {"tiny": str(folder)}))
    moved = folder.rename(tmp_path / "moved")
    assert key(plan_with(make_plan, {"tiny": str(moved)})) == before
    (moved / "model.safetensors").write_bytes(b"two")
    changed = key(plan_with(make_plan, {"tiny": str(moved)}))
    assert [a == b for a, b in zip(before, changed, strict=True)] == [True] + [False] * (len(before) - 1)


def test_a_folder_that_is_not_what_was_promised_is_refused(make_plan, folder, tmp_path):
    with pytest.raises(ConfigError, match="weights.tiny: .* is no folder with files"):
        plan_with(make_plan, {"tiny": str(tmp_path / "nowhere")})
    with pytest.raises(ConfigError, match="the emulator's YAML wants abc"):
        plan_with(make_plan, {"tiny": str(folder)}, TOKENS | {"sha256": "abc"})


def test_samples_of_an_emulator_that_draws_none_are_refused(make_plan):
    tokens = OPTIONS["emulator/mlp"] | {"samples": 20}
    runs = [{"each": "chaos", "emulator": "tokens", "training": "supervised", "trained_on_system": True}]
    with pytest.raises(ConfigError, match="draws no samples, and its YAML asks for 20"):
        _ = make_plan({"emulator/tokens": tokens, **study(runs=runs)}).blocks


def test_a_parent_need_not_be_scored(make_plan):
    runs = [
        {"data": "chaos-Lorenz", "emulator": "mlp", "training": "supervised", "name": "first", "label": "parent",
         "trained_on_system": True, "suites": []},
        {"data": "chaos-Lorenz", "emulator": "mlp", "training": "supervised", "label": "child",
         "init": {"run": "first", "take": ["layers.0"]}, "trained_on_system": True},
    ]  # fmt: skip
    plan = make_plan(study(runs=runs))
    parent, child = plan.blocks.values()
    assert parent["suites"] == {}
    assert child["init"] == {"folder": parent["folder"], "take": ["layers.0"]}
    assert set(child["suites"]) == {"chaos"}
    whole = make_plan(study(runs=[runs[0], runs[1] | {"init": "first"}]))
    assert not set(whole.blocks) & {child["folder"]}
    with pytest.raises(ConfigError, match="no suite 'other' of this study|there is no suite 'other'"):
        make_plan(study(runs=[runs[0] | {"suites": ["other"]}]))
    with pytest.raises(ConfigError, match="init: there is no key 'tak'; did you mean 'take'"):
        make_plan(study(runs=[runs[0], runs[1] | {"init": {"run": "first", "tak": []}}]))


def test_jobs_refuse_a_plan_that_other_settings_have_replaced(make_plan, monkeypatch):
    plan = make_plan(settings="mine")
    plan.write()
    file = plan_path(plan.root, "study", "small")
    monkeypatch.setenv(SETTINGS_VARIABLE, "mine")
    assert read_plan(file)[0]["settings"] == "mine"
    make_plan(settings="theirs").write()
    with pytest.raises(ResultsError, match="rewritten by a `snakemake` with other settings"):
        read_plan(file)
    monkeypatch.delenv(SETTINGS_VARIABLE)
    assert json.loads(file.read_text())["settings"] == "theirs"
    assert read_plan(file)[0]["settings"] == "theirs"
