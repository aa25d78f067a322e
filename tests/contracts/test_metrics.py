"""Every metric that conf/metric defines keeps the same promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from strangecast.evaluation.metric_option import (
    ATTRACTOR,
    LYAPUNOV_TIMES,
    SAMPLES,
    higher_is_better,
    metric_option,
    worst_value,
)
from strangecast.evaluation.windows_scored import defined_at, diverged_at, metric_values
from strangecast.metrics.floor import floor
from strangecast.metrics.scale import Scale, window_scale
from strangecast.workflow.compose import Registry

REGISTRY = Registry()
NAMES = REGISTRY.names("metric")
S, B, C = 3, 2, 3
OF_CHANNELS = ("context_mean", "context_std", "climate_mean", "climate_std")


@pytest.fixture(params=NAMES)
def name(request):
    """Each metric in turn."""
    return request.param


@pytest.fixture
def config(name):
    """Its YAML."""
    return REGISTRY.option("metric", name, "smoke")


@pytest.fixture
def metric(name, config):
    """The metric itself."""
    return metric_option(name, config)


@pytest.fixture
def H(metric):
    """A horizon that is long enough for it."""
    return max(20, metric.shortest)


def draw(H, grid=(), shift=0.0, factor=1.0):
    """Truth, forecasts that get worse with the member, and the scale; channels moved by ``shift`` and ``factor``.

    The truth wanders around its climate. The first member follows it closely, to the second another draw of the climate
    is added after a while, the third has lost both place and dynamics: it goes around a large ellipse.
    """
    rng = np.random.default_rng(5)
    shape = (1,) * len(grid)
    shift = np.broadcast_to(shift, C).reshape(C, *shape)
    factor = np.broadcast_to(factor, C).reshape(C, *shape)
    mean, std = rng.standard_normal((B, C)), rng.uniform(2, 4, (B, C))
    middle, unit = mean.reshape(B, 1, C, *shape), std.reshape(B, 1, C, *shape)
    series = middle + unit * wandering(rng, (2, B, 40 + H, C, *grid))
    context, truth, other = series[0, :, :40], series[0, :, 40:], series[1, :, 40:]
    angle = 0.3 * np.arange(H).reshape(H, 1, *shape) + np.arange(C).reshape(C, *shape)
    noise = 0.01 * unit * rng.standard_normal(truth.shape)
    late = np.minimum(np.arange(1, H + 1) / 10, 1).reshape(H, 1, *shape)
    forecast = np.stack([truth + noise, truth + late * (other - middle), middle + 3 * unit * np.sin(angle) + noise])
    lyapunov = rng.uniform(0.1, 1, B)
    flat_shift, flat_factor = shift.reshape(C), factor.reshape(C)
    scale = window_scale(
        context * factor + shift, mean * flat_factor + flat_shift, std * flat_factor, np.full(B, 0.1), lyapunov
    )
    return truth * factor + shift, forecast * factor + shift, scale


def wandering(rng, shape):
    """Damped oscillators driven by noise, of about unit variance; time on axis 2."""
    kicks = 0.25 * rng.standard_normal(shape)
    out = np.zeros(shape)
    for t in range(2, shape[2]):
        out[:, :, t] = 1.8 * out[:, :, t - 1] - 0.9 * out[:, :, t - 2] + kicks[:, :, t]
    return out / out[:, :, 2:].std()


def values(metric, truth, forecast, scale, prefixes=None):
    """Values over the whole horizon."""
    H = truth.shape[1]
    at = diverged_at(forecast, scale)
    return metric_values(metric, truth, forecast, scale, at, list(prefixes or [H]))[H]


def test_says_what_it_is(name, config, metric):
    assert {"_target_", "title", "unit", "better", "horizons", "space"} <= set(config)
    worst_value(name, config)
    if metric.kind == ATTRACTOR:
        assert metric.horizons == "full"
    if metric.kind == "calibration":
        assert metric.of == SAMPLES


def test_no_two_say_the_same():
    said = [{k: v for k, v in REGISTRY.option("metric", n, "smoke").items() if k != "title"} for n in NAMES]
    assert all(a != b for i, a in enumerate(said) for b in said[:i])
    titles = [(c["title"], c["unit"]) for c in (REGISTRY.option("metric", n, "smoke") for n in NAMES)]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("grid", [(), (4,), (3, 2)])
def test_gives_one_finite_value_per_member_and_window(metric, H, grid):
    truth, forecast, scale = draw(H, grid)
    found = values(metric, truth, forecast, scale)
    assert found.shape == (S, B)
    assert found.dtype == np.float64
    assert np.isfinite(found[:, defined_at(metric, truth, scale, H)]).all()
    if not grid:
        assert defined_at(metric, truth, scale, H).all()


def test_the_truth_scores_best_and_errors_cost(name, config, metric, H):
    truth, forecast, scale = draw(H)
    if metric.kind == "divergence":
        forecast[1, :1, 12:] = np.inf
        forecast[2, :, 3:] = np.nan
    sign = -1 if higher_is_better(name, config) else 1
    perfect = sign * values(metric, truth, np.stack([truth] * S), scale)
    found = sign * values(metric, truth, forecast, scale)
    if sign > 0:
        assert (perfect == 0).all()
    assert (perfect <= found).all()
    assert (found <= sign * worst_value(name, config)).all()
    average = found.mean(axis=1)
    if metric.kind != "calibration":  # which a forecast without samples does not have
        assert perfect.mean() <= average[0] < average[2]
    if metric.kind in ("error", "time", "divergence"):
        assert average[0] < average[1] < average[2]


def test_does_not_depend_on_units_or_origin(metric, H):
    here = values(metric, *draw(H))
    there = values(metric, *draw(H, shift=[3.0, -40.0, 0.5], factor=[2.0, 1e3, 1e-2]))
    assert there == pytest.approx(here, rel=1e-9)


def test_does_not_depend_on_the_order_of_channels(metric, H):
    truth, forecast, scale = draw(H)
    turned = replace(scale, **{f: getattr(scale, f)[:, ::-1] for f in OF_CHANNELS}, context=scale.context[:, :, ::-1])
    assert values(metric, truth[..., ::-1], forecast[..., ::-1], turned) == pytest.approx(
        values(metric, truth, forecast, scale), rel=1e-10
    )


def test_bits_do_not_depend_on_neighbours(metric, H):
    truth, forecast, scale = draw(H)
    together = values(metric, truth, forecast, scale)
    for s in range(S):
        for b in range(B):
            one = scale.of(slice(b, b + 1))
            alone = values(metric, truth[b : b + 1], forecast[s : s + 1, b : b + 1], one)
            assert alone[0, 0] == together[s, b]


def test_divergence_is_nan_or_told_by_the_metric(name, config, metric, H):
    truth, forecast, scale = draw(H)
    calm = values(metric, truth, forecast, scale)
    forecast[1, 1, 7] = np.nan
    at = diverged_at(forecast, scale)
    assert at[1, 1] == 7
    assert (np.delete(at.reshape(-1), 1 * B + 1) == -1).all()
    found = metric_values(metric, truth, forecast, scale, at, [7, 8, H])
    others = np.delete(found[H].reshape(-1), 1 * B + 1)
    assert others.tolist() == np.delete(calm.reshape(-1), 1 * B + 1).tolist()
    if metric.horizons == "full":
        assert list(found) == [H]
        worst = worst_value(name, config)
        lost, better = found[H][1, 1], calm[1, 1]
        assert not np.isnan(lost)
        assert min(better, worst) <= lost <= max(better, worst)
        if metric.kind == ATTRACTOR:
            assert lost == worst
    else:
        assert np.isfinite(found[7]).all()
        for h in (8, H):
            assert np.isnan(found[h][1, 1])
            assert np.isnan(found[h]).sum() == 1


@pytest.mark.parametrize("lost", [np.nan, np.inf, -np.inf, 1e300])
def test_nothing_but_divergence_is_no_value_that_is_not_told(name, config, metric, H, lost):
    """A run lost in training is scored as a forecast that diverges at its first sample."""
    truth, forecast, scale = draw(H)
    forecast = np.full_like(forecast, lost)
    found = values(metric, truth, forecast, scale)
    if metric.horizons == "full":
        assert (found == worst_value(name, config)).all()
    else:
        assert np.isnan(found).all()


# Truths and forecasts that do not move


@pytest.mark.parametrize("still", ["forecast", "channel of the forecast", "channel of the truth", "truth", "both"])
def test_what_stands_still_has_a_value_or_no_row(name, config, metric, H, still):
    truth, forecast, scale = draw(H)
    if still == "forecast":
        forecast = np.broadcast_to(truth[:, :1], forecast.shape).copy()
    if still == "channel of the forecast":
        forecast[..., 1] = 0.7
    if still == "channel of the truth":
        truth[..., 1] = 0.7
    if still in ("truth", "both"):
        truth = np.full_like(truth, 0.7)
    if still == "both":
        forecast = np.full_like(forecast, 0.7)
    found = values(metric, truth, forecast, scale)[:, defined_at(metric, truth, scale, H)]
    assert (np.isfinite(found) | (found == worst_value(name, config))).all()


@pytest.mark.parametrize("still", ["one channel", "all"])
def test_a_climate_that_never_changes_has_a_value(metric, H, still):
    truth, forecast, scale = draw(H)
    std = scale.climate_std.copy()
    std[:, 1 if still == "one channel" else slice(None)] = 0
    context = scale.context.copy()
    context[:, :, std[0] == 0] = 2.0
    frozen = window_scale(context, scale.climate_mean, std, scale.dt, scale.lyapunov)
    found = values(metric, truth, forecast, frozen)
    assert np.isfinite(found[:, defined_at(metric, truth, frozen, H)]).all()


def test_horizons_that_are_too_short_have_no_row(metric, H):
    truth, forecast, scale = draw(H)
    at = diverged_at(forecast, scale)
    if metric.shortest > 1:
        short = metric.shortest - 1
        assert not defined_at(metric, truth, scale, short).any()
        assert metric_values(metric, truth[:, :short], forecast[:, :, :short], scale, at, [short]) == {}
    assert defined_at(metric, truth, scale, metric.shortest).all()


def test_an_unknown_exponent_takes_rows_away_from_what_needs_it_alone(metric, H):
    truth, forecast, scale = draw(H)
    unknown = replace(scale, lyapunov=np.full(B, np.nan))
    rows = defined_at(metric, truth, unknown, H)
    found = values(metric, truth, forecast, unknown)
    assert rows.all() or not rows.any()
    assert np.isfinite(found).all() if rows.all() else np.isnan(found).all()
    if metric.unit == LYAPUNOV_TIMES:
        assert not rows.any()


# What the truth scores against itself


def test_attractors_have_a_floor_between_the_truth_and_a_forecast_that_is_wrong(metric):
    if metric.kind != ATTRACTOR:
        return
    truth, forecast, scale = draw(2 * metric.shortest)
    if metric.space == "normalised":
        truth, forecast, scale = scale.standardise(truth[None])[0], scale.standardise(forecast), scale.standardised()
    found = floor(metric.function, truth, scale)
    assert found.shape == (B,)
    assert (found >= 0).all()
    assert found.mean() < metric.function(truth, forecast, scale)[2].mean()


# Forecasts that are samples


def test_one_sample_scores_what_a_forecast_does(metric, H):
    truth, forecast, scale = draw(H)
    forecast[1, 1, 7] = np.nan
    prefixes = [7, 8, H]
    at = diverged_at(forecast, scale)
    assert (diverged_at(forecast[None], scale, samples=True) == at).all()
    expected = metric_values(metric, truth, forecast, scale, at, prefixes)
    found = metric_values(metric, truth, forecast[None], scale, at, prefixes)
    assert found.keys() == expected.keys()
    assert all(found[h].tobytes() == expected[h].tobytes() for h in found)


@pytest.mark.parametrize("grid", [(), (4,)])
def test_samples_give_one_value_whatever_their_order_and_neighbours(metric, H, grid):
    truth, forecast, scale = draw(H, grid)
    samples = forecast + 0.5 * np.random.default_rng(7).standard_normal((6, *forecast.shape))
    at = diverged_at(samples, scale, samples=True)
    rows = defined_at(metric, truth, scale, H)
    together = metric_values(metric, truth, samples, scale, at, [H])[H]
    assert together.shape == (S, B)
    assert np.isfinite(together[:, rows]).all()
    assert (metric_values(metric, truth, samples[::-1], scale, at, [H])[H] == together).all()
    for s in range(S):
        for b in range(B):
            alone = samples[:, s : s + 1, b : b + 1]
            one = at[s : s + 1, b : b + 1]
            found = metric_values(metric, truth[b : b + 1], alone, scale.of(slice(b, b + 1)), one, [H])[H]
            assert found[0, 0] == together[s, b]


def test_samples_that_all_agree_score_like_one(metric, H):
    truth, forecast, scale = draw(H)
    at = diverged_at(forecast, scale)
    alone = metric_values(metric, truth, forecast, scale, at, [H])[H]
    found = metric_values(metric, truth, np.stack([forecast] * 5), scale, at, [H])[H]
    assert found == pytest.approx(alone, rel=1e-12)


def test_what_judges_samples_prefers_honest_ones(name, config, metric):
    if metric.of != SAMPLES:
        return
    rng = np.random.default_rng(11)
    n = 400
    centre = rng.standard_normal((1, B, n, C))
    truth, draws = (centre + rng.standard_normal((1, B, n, C)))[0], rng.standard_normal((30, 1, B, n, C))
    one = np.ones((B, C))
    scale = Scale(0 * one, one, 0 * one, one, one[:, 0], one[:, 0])
    at = np.full((1, B), -1)
    found = {
        spread: metric_values(metric, truth, centre + spread * draws, scale, at, [n])[n].mean()
        for spread in (0.1, 0.5, 1.0, 2.0, 9.0)
    }
    assert (max if higher_is_better(name, config) else min)(found, key=found.get) == 1.0
