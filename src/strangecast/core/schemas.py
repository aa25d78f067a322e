"""Columns of every table that one rule writes and another reads, in one place.

Letters as everywhere: T steps of a trajectory, C channels, H horizon steps. Strings that repeat are
dictionary-encoded.
"""

from __future__ import annotations

import pyarrow as pa

from strangecast.core.errors import ResultsError

_word = pa.dictionary(pa.int32(), pa.string())
_words = pa.list_(pa.string())
_floats = pa.list_(pa.float64())

# One row per trajectory; `values` is [T, C, *grid] flattened in C order, `shape` says how. Rows may differ in C.
TRAJECTORIES = pa.schema(
    [
        ("trajectory_id", pa.string()),
        ("system", pa.string()),
        ("parents", _words),  # driver and response of a skew product, else empty
        ("parameter_index", pa.int32()),
        ("ic_index", pa.int32()),
        ("attempt", pa.int32()),  # which keyed candidate for these indices, from 0
        ("dt", pa.float64()),  # null where `times` is given
        ("times", pa.large_list(pa.float64())),  # [T], null where uniform
        ("period", pa.float64()),
        ("lyapunov", pa.float64()),  # largest exponent per time unit, null where unknown
        ("lyapunov_standard_error", pa.float64()),
        ("parameters", _floats),
        ("initial_condition", _floats),
        ("solver", pa.string()),
        ("status", pa.string()),  # how the integration ended, "imported" for data of a user
        ("evaluations", pa.int64()),  # of the right-hand side, transient included; null for imported data
        ("verdicts", pa.string()),  # as in MANIFEST where generation has judged, else null
        ("shape", pa.list_(pa.int64())),
        ("values", pa.large_list(pa.float64())),
        ("state_at_origins", pa.large_list(pa.float64())),  # null where `values` is the full state
        ("sha256", pa.string()),  # of `values`
    ]
)

# One row per trajectory generated, accepted or not; every attempt has its own.
MANIFEST = pa.schema(
    [
        ("trajectory_id", pa.string()),
        ("shard", pa.string()),
        ("row", pa.int32()),
        ("system", _word),
        ("parents", _words),
        ("parameter_index", pa.int32()),
        ("ic_index", pa.int32()),
        ("attempt", pa.int32()),
        ("channels", pa.int32()),  # C
        ("length", pa.int64()),  # T; 0 where a rejected attempt was not kept
        ("dt", pa.float64()),
        ("period", pa.float64()),
        ("lyapunov", pa.float64()),
        ("lyapunov_standard_error", pa.float64()),
        ("solver", _word),
        ("status", _word),
        ("evaluations", pa.int64()),
        ("accepted", pa.bool_()),
        ("reasons", pa.list_(pa.string())),  # names of the failed tests
        ("verdicts", pa.string()),  # JSON: {test: {"passed", "statistic", "threshold"}}
        ("sha256", pa.string()),
    ]
)

# One row per contiguous piece of an accepted trajectory: samples start..stop-1 belong to `split`.
SPLITS = pa.schema(
    [
        ("trajectory_id", pa.string()),
        ("shard", pa.string()),
        ("row", pa.int32()),
        ("system", _word),
        ("parents", _words),
        ("parameter_index", pa.int32()),
        ("channels", pa.int32()),  # C
        ("dt", pa.float64()),
        ("lyapunov", pa.float64()),
        ("split", _word),  # train | validation | test
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("sha256", pa.string()),
    ]
)

# One row per forecast origin: the context is samples origin-context..origin-1, the truth origin..origin+horizon-1.
WINDOWS = pa.schema(
    [
        ("suite", _word),
        ("dataset", _word),
        ("system", _word),
        ("trajectory_id", pa.string()),
        ("window", pa.int32()),
        ("origin", pa.int64()),
        ("context", pa.int32()),
        ("horizon", pa.int32()),
        ("dt", pa.float64()),
        ("lyapunov", pa.float64()),
        ("climate_mean", _floats),  # [C], of the system's training split, or of all its trajectories
        ("climate_std", _floats),  # [C]
        ("sha256", pa.string()),  # of the trajectory's values
    ]
)

# One row per (run, window); `values` is [H, C, *grid] ([N, H, C, *grid] with samples) flattened in C order.
FORECASTS = pa.schema(
    [
        ("run_id", _word),
        ("key", _word),  # forecast key: run key, suite content, forecast code
        ("dataset", _word),
        ("trajectory_id", pa.string()),
        ("window", pa.int32()),
        ("shape", pa.list_(pa.int64())),
        ("values", pa.large_list(pa.float64())),
    ]
)

HISTORY = pa.schema(
    [
        ("run_id", _word),
        ("update", pa.int64()),
        ("train_loss", pa.float64()),  # mean since the last row
        ("validation_loss", pa.float64()),
        ("learning_rate", pa.float64()),
        ("best", pa.bool_()),
    ]
)

RUNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("data", _word),  # dataset or corpus trained on, "none" for none
        ("emulator", _word),
        ("training", _word),
        ("point", pa.string()),  # JSON of the sweep values
        ("label", _word),  # what figures and tables print
        ("seed", pa.int32()),
        ("init", pa.string()),
        ("trained_on_system", pa.bool_()),
        ("status", _word),  # done | diverged | weights absent
        ("n_parameters", pa.int64()),
        ("train_seconds", pa.float64()),
        ("forecast_seconds", pa.float64()),
        ("device", _word),
        ("best_update", pa.int64()),
        ("key", pa.string()),
        ("data_hash", pa.string()),
        ("config_hash", pa.string()),
        ("code_hash", pa.string()),
        ("folder", pa.string()),  # relative to results/<scale>
        ("member", pa.int32()),
        ("versions", pa.string()),  # JSON of library versions
    ]
)

SCORES = pa.schema(
    [
        ("run_id", _word),
        ("suite", _word),
        ("dataset", _word),
        ("trajectory_id", _word),
        ("window", pa.int32()),
        ("horizon", pa.int32()),  # samples
        ("horizon_lyapunov", pa.float64()),  # null where the exponent is unknown or not positive
        ("metric", _word),
        ("value", pa.float64()),  # NaN only where diverged_at is set
        ("diverged_at", pa.int32()),  # first non-finite or runaway sample, null where none
        ("key", _word),  # score key: forecast key, metric code and config
    ]
)

# One row per window and metric that compares attractors: what the halves of its truth score against each other.
FLOORS = pa.schema(
    [
        ("suite", _word),
        ("dataset", _word),
        ("trajectory_id", _word),
        ("window", pa.int32()),
        ("horizon", pa.int32()),  # samples, that of the scores it belongs to
        ("length", pa.int32()),  # samples of each half
        ("metric", _word),
        ("value", pa.float64()),
        ("key", _word),  # floor key: content of the windows, metric code and config
    ]
)

# One row per (suite, metric, horizon, emulator label [, peer label]); statistics pooled over systems, windows, seeds.
COMPARISONS = pa.schema(
    [
        ("suite", _word),
        ("metric", _word),
        ("horizon", pa.int32()),
        ("label", _word),
        ("emulator", _word),
        ("training", _word),
        ("peer", _word),  # null in rows about one label alone
        ("n_datasets", pa.int32()),  # pairs of dataset and system: a dataset of many systems counts as many
        ("n_windows", pa.int32()),
        ("n_seeds", pa.int32()),
        ("median", pa.float64()),
        ("low", pa.float64()),  # 95 % hierarchical bootstrap interval of the median
        ("high", pa.float64()),
        ("mean", pa.float64()),
        ("diverged", pa.int32()),  # windows
        ("superiority", pa.float64()),  # P(label better than peer), ties count half
        ("p_value", pa.float64()),  # paired Wilcoxon over systems, Holm-corrected within the metric and horizon
    ]
)

CLAIMS = pa.schema(
    [
        ("study", pa.string()),
        ("claim", pa.string()),
        ("statement", pa.string()),
        ("source", pa.string()),
        ("published", pa.float64()),  # null where there is none
        ("anchor", pa.string()),  # published | own
        ("ours", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("unit", pa.string()),
        ("verdict", pa.string()),  # reproduced | not reproduced | not testable here
        ("note", pa.string()),
    ]
)


# One row per system at its catalogued parameters; exponents per time unit. Infinite where a flow slides along a surface.
LYAPUNOV = pa.schema(
    [
        ("system", pa.string()),
        ("kind", _word),  # flow | delay
        ("dim", pa.int32()),
        ("period", pa.float64()),
        ("method", _word),  # tangent | tangent with saltation | tangent functions
        ("initial_conditions", pa.int32()),  # that were averaged over
        ("time", pa.float64()),  # averaged over, of each
        ("exponents", _floats),  # the largest first; all of a flow, the first of a delay flow
        ("errors", _floats),  # standard errors of the exponents
        ("each", _floats),  # the largest exponent of every initial condition
        ("neutral", pa.int32()),  # initial conditions with an exponent that is zero within three errors
        ("chaotic", pa.int32()),  # initial conditions with a positive one
        ("dimension", pa.float64()),  # Kaplan-Yorke; null where the exponents do not reach it
        ("dimension_error", pa.float64()),
        ("divergence", pa.float64()),  # mean of the field's divergence on the same trajectories; null of delay flows
        ("early", pa.float64()),  # the largest exponent as data sets have it: 300 periods after a transient of 20
        ("early_error", pa.float64()),
        ("pair", pa.float64()),  # the largest exponent from two trajectories
        ("pair_error", pa.float64()),
        ("shipped", pa.float64()),  # what dysts has as the largest exponent
        ("verdict", _word),  # hyperchaotic | chaotic | mixed | neutral | stable | not followed
    ]
)


def conform(table: pa.Table, schema: pa.Schema, what: str) -> pa.Table:
    """Cast ``table`` to ``schema`` (column order and types); a missing or foreign column is named.

    Raises:
        ResultsError: columns are missing or unknown, or a type cannot be cast.
    """
    missing = [n for n in schema.names if n not in table.column_names]
    foreign = [n for n in table.column_names if n not in schema.names]
    if missing or foreign:
        raise ResultsError(f"{what} has the wrong columns: missing {missing or 'none'}, unknown {foreign or 'none'}")
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as e:
        raise ResultsError(f"{what} does not fit its schema: {e}") from e
