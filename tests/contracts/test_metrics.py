"""Every metric that conf/metric defines keeps the same promises."""

from __future__ import annotations

import numpy as np
import pytest

from strangecast.evaluation.metric_option import higher_is_better, metric_option, worst_value
from strangecast.evaluation.windows_scored import diverged_at, metric_values
from strangecast.metrics.scale import window_scale
from strangecast.workflow.compose import Registry

REGISTRY = Registry()
NAMES = REGISTRY.names("metric")
S, B, H, C = 3, 4, 20, 3


@pytest.fixture(params=NAMES)
def name(request):
    """Each metric in turn."""
    return request.param


@pytest.fixture
def config(name):
    """Its YAML."""
    return REGISTRY.option("metric", name, "smoke")


def draw(grid=(), shift=0.0, factor=1.0):
    """Truth, forecasts that get worse with the member, and the scale; channels moved by ``shift`` and ``factor``."""
    rng = np.random.default_rng(5)
    shape = (1,) * len(grid)
    shift = np.broadcast_to(shift, C).reshape(C, *shape)
    factor = np.broadcast_to(factor, C).reshape(C, *shape)
    context = rng.standard_normal((B, 40, C, *grid)).cumsum(axis=1)
    truth = context[:, -1:] + rng.standard_normal((B, H, C, *grid)).cumsum(axis=1)
    noise = rng.standard_normal((1, B, H, C, *grid)) * np.array([0.01, 1.2, 9.0]).reshape(S, 1, 1, 1, *shape)
    forecast = truth + noise
    mean, std = rng.standard_normal((B, C)), rng.uniform(2, 4, (B, C))
    lyapunov = rng.uniform(0.1, 1, B)
    flat_shift, flat_factor = shift.reshape(C), factor.reshape(C)
    scale = window_scale(
        context * factor + shift, mean * flat_factor + flat_shift, std * flat_factor, np.full(B, 0.1), lyapunov
    )
    return truth * factor + shift, forecast * factor + shift, scale


def values(name, config, truth, forecast, scale, prefixes=(H,)):
    """Values over the whole horizon."""
    at = diverged_at(forecast, scale)
    return metric_values(metric_option(name, config), truth, forecast, scale, at, list(prefixes))[H]


def test_says_what_it_is(name, config):
    assert {"_target_", "title", "unit", "better", "horizons", "space"} <= set(config)
    metric_option(name, config)
    worst_value(name, config)


@pytest.mark.parametrize("grid", [(), (4,), (3, 2)])
def test_gives_one_finite_value_per_member_and_window(name, config, grid):
    found = values(name, config, *draw(grid))
    assert found.shape == (S, B)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()


def test_the_truth_scores_best_and_errors_cost(name, config):
    truth, forecast, scale = draw()
    sign = -1 if higher_is_better(name, config) else 1
    perfect = sign * values(name, config, truth, np.stack([truth] * S), scale)
    found = sign * values(name, config, truth, forecast, scale)
    if sign > 0:
        assert (perfect == 0).all()
    assert (perfect <= found).all()
    average = found.mean(axis=1)
    assert perfect.mean() <= average[0] < average[1] < average[2]
    assert (found <= sign * worst_value(name, config)).all()


def test_does_not_depend_on_units_or_origin(name, config):
    here = values(name, config, *draw())
    there = values(name, config, *draw(shift=[3.0, -40.0, 0.5], factor=[2.0, 1e3, 1e-2]))
    assert there == pytest.approx(here, rel=1e-9)


def test_does_not_depend_on_the_order_of_channels(name, config):
    truth, forecast, scale = draw()
    turned = type(scale)(
        *(getattr(scale, f)[:, ::-1] for f in ("context_mean", "context_std", "climate_mean", "climate_std")),
        scale.dt,
        scale.lyapunov,
    )
    assert values(name, config, truth[..., ::-1], forecast[..., ::-1], turned) == pytest.approx(
        values(name, config, truth, forecast, scale), rel=1e-12
    )


def test_bits_do_not_depend_on_neighbours(name, config):
    truth, forecast, scale = draw()
    together = values(name, config, truth, forecast, scale)
    for s in range(S):
        for b in range(B):
            one = type(scale)(*(getattr(scale, f)[b : b + 1] for f in scale.__dataclass_fields__))
            alone = values(name, config, truth[b : b + 1], forecast[s : s + 1, b : b + 1], one)
            assert alone[0, 0] == together[s, b]


def test_divergence_is_nan_or_told_by_the_metric(name, config):
    truth, forecast, scale = draw()
    forecast[1, 2, 7] = np.nan
    at = diverged_at(forecast, scale)
    assert at[1, 2] == 7
    assert (np.delete(at.reshape(-1), 1 * B + 2) == -1).all()
    metric = metric_option(name, config)
    found = metric_values(metric, truth, forecast, scale, at, [7, 8, H])
    if metric.horizons == "full":
        assert list(found) == [H]
        assert np.isfinite(found[H]).all()
    else:
        assert np.isfinite(found[7]).all()
        for h in (8, H):
            assert np.isnan(found[h][1, 2])
            assert np.isnan(found[h]).sum() == 1


# Forecasts that are samples


def test_one_sample_scores_what_a_forecast_does(name, config):
    truth, forecast, scale = draw()
    forecast[1, 2, 7] = np.nan
    metric, prefixes = metric_option(name, config), [7, 8, H]
    at = diverged_at(forecast, scale)
    assert (diverged_at(forecast[None], scale, samples=True) == at).all()
    expected = metric_values(metric, truth, forecast, scale, at, prefixes)
    found = metric_values(metric, truth, forecast[None], scale, at, prefixes)
    assert found.keys() == expected.keys()
    assert all(found[h].tobytes() == expected[h].tobytes() for h in found)


@pytest.mark.parametrize("grid", [(), (4,)])
def test_samples_give_one_value_whatever_their_order_and_neighbours(name, config, grid):
    truth, forecast, scale = draw(grid)
    samples = forecast + 0.5 * np.random.default_rng(7).standard_normal((6, *forecast.shape))
    metric, at = metric_option(name, config), diverged_at(samples, scale, samples=True)
    together = metric_values(metric, truth, samples, scale, at, [H])[H]
    assert together.shape == (S, B)
    assert np.isfinite(together).all()
    assert (metric_values(metric, truth, samples[::-1], scale, at, [H])[H] == together).all()
    for s in range(S):
        for b in range(B):
            alone = samples[:, s : s + 1, b : b + 1]
            one = at[s : s + 1, b : b + 1]
            found = metric_values(metric, truth[b : b + 1], alone, scale.of(slice(b, b + 1)), one, [H])[H]
            assert found[0, 0] == together[s, b]


def test_samples_that_all_agree_score_like_one(name, config):
    truth, forecast, scale = draw()
    metric, at = metric_option(name, config), diverged_at(forecast, scale)
    alone = metric_values(metric, truth, forecast, scale, at, [H])[H]
    found = metric_values(metric, truth, np.stack([forecast] * 5), scale, at, [H])[H]
    assert found == pytest.approx(alone, rel=1e-12)
