"""Forecast jobs: right windows, bits that depend on the key alone, rows that are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from strangecast.core.errors import ConfigError, ResultsError
from strangecast.data.forecasts import read_forecasts
from strangecast.data.windows import Windows
from strangecast.evaluation import forecast as module
from strangecast.evaluation.forecast import forecast_block
from tests.unit.evaluation.synthetic import CONTEXT, HORIZON, block_plan, make_run_folder


def read(built, emulator):
    return read_forecasts(built.root / built.blocks[emulator]["suites"]["waves"]["forecast_folder"] / "forecasts.arrow")


def by_window(forecasts, run_id=None):
    t = forecasts.table
    return {
        (r.run_id, r.dataset, r.trajectory_id, r.window): forecasts.array(i)
        for i, r in enumerate(t.itertuples())
        if run_id in (None, r.run_id)
    }


def bytes_of(results, emulator):
    return read(results, emulator)._path.read_bytes()


def test_untrained_emulators_forecast_every_window(built):
    windows = Windows.open(built.root, "suites/waves")
    persistence, climatology = (by_window(read(built, e)) for e in ("persistence", "climatology"))
    assert len(persistence) == len(windows) == 12
    for i, w in enumerate(windows.table.itertuples()):
        context = windows.context(np.array([i]), CONTEXT)[0][0]
        key = (w.dataset, w.trajectory_id, w.window)
        last = persistence["persistence-all-0", *key]
        assert (last == context[-1]).all()
        assert last.shape == (HORIZON, windows.spec(w.dataset).C)
        assert climatology["climatology-all-0", *key] == pytest.approx(np.tile(context.mean(axis=0), (HORIZON, 1)))


def test_trained_runs_forecast_their_own_dataset(built):
    t = read(built, "mlp").table
    assert {(r, d) for r, d in zip(t["run_id"], t["dataset"], strict=True)} == {
        (f"mlp-{d}-{s}", d) for d in ("waves-A", "waves-B") for s in (0, 1)
    }


def test_a_member_beside_others_forecasts_what_it_does_alone(built):
    """Against the emulator loaded alone and called on one window."""
    import torch

    from strangecast.core.context import Context
    from strangecast.emulators.run_folder import load

    windows = Windows.open(built.root, "suites/waves")
    rows = windows.rows("waves-B")
    emulator = load(built.root / built.blocks["mlp"]["folder"], "mlp-waves-B-1")
    values, times = windows.context(rows[:1], CONTEXT)
    with torch.no_grad():
        context = Context(torch.from_numpy(values)[None], torch.from_numpy(times)[None])
        alone = emulator.forecast(context, torch.from_numpy(windows.truth(rows[:1])[1])[None])
    first = windows.table.iloc[rows[0]]
    key = ("mlp-waves-B-1", "waves-B", first["trajectory_id"], first["window"])
    assert by_window(read(built, "mlp"))[key] == pytest.approx(alone[0, 0].double().numpy(), rel=1e-5)


def test_seeds_differ_and_seconds_are_told(built):
    found = read(built, "mlp")
    per_run = [by_window(found, f"mlp-waves-A-{s}") for s in (0, 1)]
    for key in per_run[0]:
        assert (per_run[0][key] != per_run[1]["mlp-waves-A-1", *key[1:]]).any()
    seconds = json.loads(found.labels["seconds"])
    assert set(seconds) == {m["run_id"] for m in built.blocks["mlp"]["members"]}
    assert all(s > 0 for s in seconds.values())


def test_nothing_is_computed_when_keys_are_unchanged(results, monkeypatch):
    before = bytes_of(results, "mlp")
    monkeypatch.setattr(module, "_make", lambda *a: pytest.fail("computed again"))
    forecast_block(results.blocks["mlp"], results.root, "waves", device="cpu")
    assert bytes_of(results, "mlp") == before


def test_a_new_member_is_forecast_and_the_others_are_kept(results, monkeypatch):
    before = by_window(read(results, "mlp"))
    wider = block_plan("mlp", "supervised", [(d, s) for d in ("waves-A", "waves-B") for s in (0, 1, 2)])
    make_run_folder(results.root, wider)
    made = {}
    original = module._make
    monkeypatch.setattr(module, "_make", lambda *a: made.update(a[4]) or original(*a))
    forecast_block(wider, results.root, "waves", device="cpu")
    assert {r for r, _ in made} == {"mlp-waves-A-2", "mlp-waves-B-2"}
    after = by_window(read(results, "mlp"))
    assert len(after) == 24
    assert all((after[k] == v).all() for k, v in before.items())
    # made again from nothing, all of them have the same bits
    forecast_block(wider, results.root, "waves", device="cpu", reuse=False)
    fresh = by_window(read(results, "mlp"))
    assert all((fresh[k] == v).all() for k, v in after.items())


def test_the_last_batch_is_filled_up_without_a_trace(built):
    """More windows than one batch, in any division: the same bits row by row."""
    from strangecast.emulators.run_folder import load
    from strangecast.evaluation.forecast import forecast_windows

    windows = Windows.open(built.root, "suites/waves")
    emulator = load(built.root / built.blocks["mlp"]["folder"], ["mlp-waves-A-0", "mlp-waves-B-0"])
    one = np.tile(windows.rows("waves-A"), 11)  # 44 rows, two batches
    two = windows.rows("waves-B")[:3]
    long = forecast_windows(emulator, windows, [one, two], batch=8)
    assert [len(v) for v in long] == [44, 3]
    short = forecast_windows(emulator, windows, [one[:2], two[:0]], batch=8)
    assert [len(v) for v in short] == [2, 0]
    assert all((long[0][i] == short[0][i % 4]).all() for i in (0, 1, 4, 41))
    turned = forecast_windows(emulator, windows, [one[::-1], two[::-1]], batch=8)
    assert all((a == b).all() for a, b in zip(long[0] + long[1], turned[0][::-1] + turned[1][::-1], strict=True))


def test_changed_code_or_weights_make_it_again(results, monkeypatch):
    made = {}
    original = module._make
    monkeypatch.setattr(module, "_make", lambda *a: made.update(a[4]) or original(*a))
    block = results.blocks["ridge"]
    block["code"]["forecast"] = "g"
    forecast_block(block, results.root, "waves", device="cpu")
    assert len(made) == 2
    made.clear()
    block["members"][1]["static_key"] = "other"
    make_run_folder(results.root, block)
    forecast_block(block, results.root, "waves", device="cpu")
    assert list(made) == [("ridge-waves-B-0", "waves-B")]


def test_a_damaged_file_is_made_again(results):
    path = read(results, "ridge")._path
    whole = {k: v.copy() for k, v in by_window(read(results, "ridge")).items()}
    path.write_bytes(path.read_bytes()[:300])
    forecast_block(results.blocks["ridge"], results.root, "waves", device="cpu")
    again = by_window(read(results, "ridge"))
    assert all((again[k] == v).all() for k, v in whole.items())


def test_a_run_that_diverged_in_training_gets_no_rows(results):
    make_run_folder(results.root, results.blocks["ridge"], status="diverged")
    forecast_block(results.blocks["ridge"], results.root, "waves", device="cpu")
    assert len(read(results, "ridge")) == 0


def test_says_what_is_missing(results):
    with pytest.raises(ConfigError, match="no suite 'tides'"):
        forecast_block(results.blocks["ridge"], results.root, "tides")
    results.blocks["ridge"]["members"].append(results.blocks["ridge"]["members"][0] | {"run_id": "new"})
    with pytest.raises(ResultsError, match="does not hold run new"):
        forecast_block(results.blocks["ridge"], results.root, "waves")
    (results.root / results.blocks["ridge"]["folder"] / "run.json").unlink()
    with pytest.raises(ResultsError, match="run the rule train first"):
        forecast_block(results.blocks["ridge"], results.root, "waves")
