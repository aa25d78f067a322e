"""Batches of trajectories that are made when they are needed."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from strangecast.core.errors import ConfigError, DataError
from strangecast.core.streams import key64
from strangecast.data import chunks
from strangecast.data.prefetch import Prefetched
from strangecast.data.streaming import StreamedData
from strangecast.workflow.compose import Registry
from tests.unit.training.world import make_dataset

CONTEXT, HORIZON = 10, 4
KEY = np.array([key64("run")], np.uint64)
CONFIG = {
    "system": None,
    "source": None,
    "systems": {"list": ["Lorenz", "Rossler", "HyperRossler", "Halvorsen", "MackeyGlass"]},
    "parameter_sets": None,
    "perturb": {"scale": 0.1},
    "sampling": {"points_per_period": 50, "length": 120, "transient_periods": 3},
    "solver": {"name": "dop853", "rtol": 1e-6, "atol": 1e-7, "fallback": "none"},
    "attempts": {"per_specimen": 3},
    "validity": {"boundedness": {}},
    "noise": 0.0,
    "split": {"by": "system", "test": []},
    "stream": {"validation": "a", "systems": 6, "trajectories": 4, "windows": 5},
}


def config(**changes):
    made = copy.deepcopy(CONFIG)
    for key, value in changes.items():
        made[key] = made[key] | value if isinstance(value, dict) and isinstance(made.get(key), dict) else value
    return made


def streamed(augmentation=None, dtype=torch.float64, datasets=(), **changes):
    return StreamedData("stream", config(**changes), list(datasets), CONTEXT, HORIZON, augmentation, dtype)


def option(**changes):
    return Registry().option("augmentation", "all", "laptop") | changes


def same(one, two):
    return (
        torch.equal(one.target, two.target)
        and torch.equal(one.context.values, two.context.values)
        and torch.equal(one.times, two.times)
    )


def whole(batch):
    """[B, T + H, C]."""
    return torch.cat([batch.context.values, batch.target], 2)[0]


# Bits


@pytest.mark.parametrize("augmentation", [None, option(rate=0.6, dimensions=None)])
def test_a_batch_depends_on_its_number_alone(augmentation):
    data = streamed(augmentation)
    updates = data.recipe.updates(8)
    assert updates == 15
    numbers = range(0, 2 * updates, 4)
    forward = {n: data.batch(n, KEY, 8) for n in numbers}
    restarted = streamed(augmentation)
    for n in reversed(numbers):
        assert same(restarted.batch(n, KEY, 8), forward[n]), n
    padded = restarted.batch(numbers[1], np.repeat(KEY, 2), 8)
    assert torch.equal(padded.target[1], forward[numbers[1]].target[0])


def test_keys_ranks_and_sizes_give_other_batches():
    data = streamed()
    one = data.batch(3, KEY, 8)
    for rank in (1, 2):
        other = np.array([key64("run", rank)], np.uint64)
        assert not same(data.batch(3, other, 8), one)
    with pytest.raises(DataError, match="one at a time"):
        data.batch(3, np.array([1, 2], np.uint64), 8)
    assert same(data.batch(3, KEY, 8), one)


def test_any_depth_of_prefetching_gives_the_same_bits():
    alone = streamed(option())
    wanted = [alone.batch(n, KEY, 8) for n in range(18)]
    for ahead in (0, 1, 20):
        with Prefetched(streamed(option()), ahead) as data:
            for n in (*range(18), 5, 6, 2):
                assert same(data.batch(n, KEY, 8), wanted[n]), (ahead, n)


def test_the_thread_is_stopped():
    before = threading.active_count()
    data = Prefetched(streamed(), 30)
    data.batch(0, KEY, 8)
    assert threading.active_count() == before + 1
    data.close()
    data.close()
    assert threading.active_count() == before


def test_what_fails_in_the_thread_is_raised_when_it_is_asked_for():
    with (
        Prefetched(streamed(validity={"boundedness": {"max_z": 1e-3}}), 2) as data,
        pytest.raises(DataError, match="relax validity"),
    ):
        data.batch(0, KEY, 8)


# Content


def test_no_two_updates_share_a_window():
    data = streamed(stream={"systems": 16, "trajectories": 8, "windows": 6})
    seen: Counter = Counter()
    for n in range(1000):
        made = whole(data.batch(n, KEY, 8)).numpy()
        seen.update(hash(w.tobytes()) for w in made)
        seen.update(hash(sample.tobytes()) for w in made for sample in w)
    assert seen.total() == 1000 * 8 * (1 + CONTEXT + HORIZON)
    assert max(seen.values()) == 1  # not even a sample


def test_batches_are_homogeneous_and_shapes_are_as_likely_as_their_systems():
    data = streamed()
    seen: Counter = Counter()
    for n in range(300):
        seen[data.batch(n, KEY, 8).target.shape[3]] += 1
    assert set(seen) == {1, 3, 4}
    assert seen[3] / 300 == pytest.approx(0.6, abs=0.1)
    augmented = streamed(option(rate=0.7, dimensions=None))
    shapes = {augmented.batch(n, KEY, 8).target.shape for n in range(30)}
    assert all(s[:3] == (1, 8, HORIZON) for s in shapes)
    assert len(shapes) > 3


def test_every_system_comes_once_before_any_comes_again():
    data = streamed()
    order = data._order(7, 0, 20)
    assert all(sorted(order[i : i + 5]) == list(range(5)) for i in range(0, 20, 5))
    assert np.array_equal(data._order(7, 8, 6), order[8:14])
    assert not np.array_equal(data._order(8, 0, 20), order)


def test_windows_are_solutions_of_their_system():
    from strangecast.systems.integrate import Solver
    from strangecast.systems.load import load_system

    data = streamed(systems={"list": ["Lorenz"]}, parameter_sets=1)
    batch = data.batch(0, KEY, 8)
    system = load_system("Lorenz")
    torch.testing.assert_close(batch.context.parameters, torch.from_numpy(system.values).expand(1, 8, 3))
    times = torch.cat([batch.context.times, batch.times], 2)[0].numpy()
    np.testing.assert_allclose(np.diff(times), system.period / 50)
    for window, t in zip(whole(batch).numpy(), times, strict=True):
        path = system.simulate(window[0], t, system.values, Solver())
        np.testing.assert_allclose(window, path.states, atol=1e-3)


def test_parameters_are_perturbed_or_drawn_from_sets():
    def rows(**changes):
        batch = streamed(systems={"list": ["Lorenz"]}, **changes).batch(0, KEY, 32)
        return {tuple(p) for p in batch.context.parameters[0].tolist()}

    assert len(rows(perturb={"scale": 0.1, "ignore": 0.0})) > 8
    assert 1 < len(rows(parameter_sets=3, perturb={"scale": 0.1, "ignore": 0.0})) <= 3
    assert streamed(option()).batch(0, KEY, 8).context.parameters is None


def test_noise_is_added():
    clean, noisy = streamed(systems={"list": ["Lorenz"]}), streamed(systems={"list": ["Lorenz"]}, noise=0.1)
    one, two = whole(clean.batch(0, KEY, 64)), whole(noisy.batch(0, KEY, 64))
    ratio = (two - one).flatten(0, 1).std(0) / one.flatten(0, 1).std(0)
    torch.testing.assert_close(ratio, torch.full((3,), 0.1, dtype=torch.float64), atol=0.02, rtol=0)


def test_what_is_held_out_is_not_drawn():
    data = streamed(split={"by": "system", "test": ["Lorenz", "MackeyGlass"]})
    assert data.systems == ["Rossler", "HyperRossler", "Halvorsen"]
    coupled = {"list": ["skew-additive-Lorenz-Rossler-0", "skew-additive-Halvorsen-Rossler-0"]}
    assert streamed(systems=coupled, split={"by": "system", "test": ["Lorenz"]}).systems == coupled["list"][1:]


def test_series_are_lazy_and_the_same_for_everybody(monkeypatch):
    data = streamed()
    with monkeypatch.context() as m:
        m.setattr(chunks, "make_candidates", None)
        series = data.series(0)
        assert len(series) == 5 * 4
    assert series[5].shape[0] == 5 * 24
    assert np.array_equal(series[5], streamed().series(1)[5])
    assert sorted({len(s[0]) for s in series}) == [1, 3, 4]
    assert len(list(series)) == 20


def test_chunks_of_old_groups_are_forgotten():
    data = streamed()
    for n in range(0, 15 * 6, 5):
        data.batch(n, KEY, 8)
    assert len(data._groups) == 2


# Rejections


def test_systems_that_cannot_be_followed_are_named():
    data = streamed(systems={"list": ["Lorenz"]}, solver={"evaluations_per_period": 3})
    with pytest.raises(
        DataError, match=r"Lorenz and 0 others .* 0 of 4 trajectories .*\(rejected by: integration 24\)"
    ):
        data.batch(0, KEY, 8)


def test_retries_are_keyed_and_rejections_counted(monkeypatch):
    honest = chunks.make_candidates
    calls = []

    def failing(recipe, wanted, attempt=0):
        """Rossler never, the others only from the second attempt on."""
        calls.append((wanted[0].system.name, attempt))
        made = honest(recipe, wanted, attempt)
        bad = wanted[0].system.name == "Rossler" or attempt == 0
        return [_diverged(c) if bad else c for c in made]

    monkeypatch.setattr(chunks, "make_candidates", failing)
    names = {"list": ["Rossler", "Lorenz", "Halvorsen"]}
    data, again = streamed(systems=names), streamed(systems=names)
    for n in range(15):
        assert same(data.batch(n, KEY, 8), again.batch(n, KEY, 8))
    asked = Counter(calls)
    assert asked["Rossler", 2] > 0
    assert data.made["Rossler", "integration"] == 4 * sum(asked["Rossler", a] for a in range(3)) // 2
    assert data.made["Lorenz", "integration"] == 4 * asked["Lorenz", 0] // 2
    assert data.made["accepted"] == 4 * 6
    rejected = data.made.total() - 24
    assert data.told() == f"stream: 24 trajectories made, {rejected} rejected (integration {rejected})"


def test_default_parameters_are_the_last_resort(monkeypatch):
    honest = chunks.make_candidates

    def failing(recipe, wanted, attempt=0):
        made = honest(recipe, wanted, attempt)
        return [c if np.array_equal(c.parameters, c.wanted.system.values) else _diverged(c) for c in made]

    monkeypatch.setattr(chunks, "make_candidates", failing)
    data = streamed(systems={"list": ["Lorenz"]}, perturb={"scale": 0.1, "ignore": 0.0})
    parameters = torch.cat([data.batch(n, KEY, 8).context.parameters[0] for n in range(5)])
    assert set(map(tuple, parameters.tolist())) == {tuple(chunks.load_system("Lorenz").values)}
    assert data.made["Lorenz", "integration"] == 3 * data.made["accepted"]


def _diverged(candidate):
    return replace(candidate, status="diverged", states=candidate.states[:7])


def test_parameters_that_a_system_refuses_are_rejected_one_by_one(monkeypatch):
    honest, refused = chunks.make_candidates, []

    def strict(recipe, wanted, attempt=0):
        odd = [w for w in wanted if w.specimen.parameter_index % 2 and attempt == 0]
        if odd:
            refused.extend(odd if len(wanted) == 1 else [])
            raise ConfigError("a lag must be positive and finite, found -6.8675")
        return honest(recipe, wanted, attempt)

    monkeypatch.setattr(chunks, "make_candidates", strict)
    data = streamed(systems={"list": ["Lorenz", "Halvorsen"]})
    for n in range(15):
        data.batch(n, KEY, 8)
    assert data.made["Lorenz", "parameters"] + data.made["Halvorsen", "parameters"] == len(refused) > 0
    assert data.made["accepted"] == 24


# Validation and settings


def test_validation_comes_from_stored_data(tmp_path):
    stored = [make_dataset(tmp_path, "a"), make_dataset(tmp_path, "wide", C=3)]
    batches = streamed(datasets=stored).validation(6)
    assert sorted(b.target.shape[3] for b in batches) == [2, 3]
    with pytest.raises(DataError, match=r"no validation segment holds 10 \+ 4 samples"):
        streamed().validation(6)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stream": {"window": 3}}, "no stream setting 'window'; did you mean 'windows'"),
        ({"stream": {"systems": 0}}, "systems must be a whole number of at least 1, found 0"),
        ({"stream": {"trajectories": 2.5}}, "trajectories must be a whole number of at least 1, found 2.5"),
        ({"attempts": {"per_specimen": -1}}, "attempts.per_specimen must be a whole number of at least 1, found -1"),
        ({"parameter_sets": 0}, "parameter_sets must be a whole number"),
        ({"noise": -1.0}, "noise -1.0 must not be negative"),
        ({"validity": {"lyapunov_sign": {}}}, "a stream cannot ask lyapunov_sign"),
        ({"validity": {"bounded": {}}}, "no validity test 'bounded'"),
        ({"systems": {"list": ["Lorentz"]}}, "no system 'Lorentz'; did you mean 'Lorenz'"),
        ({"split": {"by": "system", "test": CONFIG["systems"]["list"]}}, "leaves no system to train on"),
    ],
)
def test_settings_that_cannot_work(changes, told):
    with pytest.raises(ConfigError, match=told):
        streamed(**changes)
