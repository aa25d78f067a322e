"""The table of exponents."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from strangecast.core.errors import ConfigError
from strangecast.core.schemas import LYAPUNOV
from strangecast.systems.lyapunov_spectrum import unknown_spectrum
from strangecast.systems.lyapunov_table import lyapunov_table, shipped_exponents, verdict


@pytest.fixture(scope="module")
def table():
    seen = []
    found = lyapunov_table(
        ["Lorenz", "MackeyGlass"], periods=100, initial_conditions=4, progress=lambda *done: seen.append(done)
    )
    assert seen == [(1, 2), (2, 2)]
    return found


def test_rows(table):
    assert table.schema.equals(LYAPUNOV)
    lorenz, mackey_glass = table.to_pylist()
    assert lorenz["method"] == "tangent"
    assert lorenz["verdict"] == "chaotic"
    assert lorenz["initial_conditions"] == len(lorenz["each"]) == 4
    assert lorenz["time"] == pytest.approx(100 * lorenz["period"])
    assert np.mean(lorenz["each"]) == pytest.approx(lorenz["exponents"][0])
    assert abs(lorenz["exponents"][0] - lorenz["pair"]) < 4 * math.hypot(lorenz["errors"][0], lorenz["pair_error"])
    assert abs(lorenz["exponents"][0] - lorenz["early"]) < 4 * math.hypot(lorenz["errors"][0], lorenz["early_error"])
    assert sum(lorenz["exponents"]) == pytest.approx(lorenz["divergence"], rel=1e-3)
    assert lorenz["neutral"] == lorenz["chaotic"] == 4
    assert mackey_glass["chaotic"] == 0
    assert mackey_glass["method"] == "tangent functions"
    assert mackey_glass["verdict"] == "neutral"
    assert len(mackey_glass["exponents"]) == 10
    assert mackey_glass["divergence"] is None
    assert 0.9 < mackey_glass["dimension"] < 2.1


def test_shipped_values_are_shown_as_they_are(table):
    assert table["shipped"].to_pylist() == [shipped_exponents()[n] for n in ("Lorenz", "MackeyGlass")]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([0.9, 0.0, -14.0], "chaotic"),
        ([0.9, 0.1, -14.0], "hyperchaotic"),
        ([0.02, -0.3], "neutral"),
        ([-0.02, -0.3], "neutral"),
        ([-0.1, -0.3], "stable"),
        ([math.nan, math.nan], "not followed"),
        ([], "not followed"),
    ],
)
def test_verdicts(values, word):
    found = replace(unknown_spectrum(2, "tangent"), values=np.array(values), errors=np.full(len(values), 0.01))
    assert verdict(found) == word


def test_mixed_initial_conditions():
    found = replace(unknown_spectrum(2, "tangent"), values=np.array([0.3, 0.0]), errors=np.full(2, 0.01))
    assert verdict(replace(found, initial_conditions=3, chaotic=1)) == "mixed"
    assert verdict(replace(found, initial_conditions=3, chaotic=3)) == "chaotic"


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'Lorenz'"):
        lyapunov_table(["Lorens"])
    with pytest.raises(ConfigError, match="at least 1"):
        lyapunov_table(["Lorenz"], initial_conditions=0)
    with pytest.raises(ConfigError, match="positive"):
        lyapunov_table(["Lorenz"], periods=0.0)
