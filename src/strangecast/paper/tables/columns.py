"""How a table's numbers are printed: digits that its intervals justify, the same in Markdown, LaTeX and the paper.

A table is a numeric frame (what the CSV holds) and a list of :class:`Column`, kept in ``frame.attrs["columns"]``,
that says which of its columns are printed, under which heading, and how.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

NONE = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Column:
    """One printed column.

    Attributes:
        title: heading.
        value: column of the frame.
        low, high: columns of its interval, or None.
        kind: ``text``, ``number``, ``count``, ``share`` (0 to 1, printed in per cent) or ``seconds``.
    """

    title: str
    value: str
    low: str | None = None
    high: str | None = None
    kind: str = "number"

    @property
    def align(self) -> str:
        """``left`` for words, ``right`` for numbers."""
        return "left" if self.kind == "text" else "right"


def with_columns(frame: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    """``frame`` with its printed columns noted."""
    frame.attrs["columns"] = columns
    return frame


def printed(frame: pd.DataFrame) -> tuple[list[Column], list[list[str]]]:
    """Columns and cells as text; a frame without notes prints every column as it is."""
    columns = frame.attrs.get("columns") or [
        Column(str(c), c, kind="number" if pd.api.types.is_numeric_dtype(frame[c]) else "text") for c in frame.columns
    ]
    return columns, [[_cell(row, column) for column in columns] for row in frame.to_dict("records")]


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A number with its interval: as many decimals as show half the interval in two digits; ``1.23 [1.10, 1.41]``.

    Without an interval, three significant digits. Missing numbers are a dash, infinite ones a sign.
    """
    if missing(value):
        return NONE
    if missing(low) or missing(high):
        return number(value)
    greatest = max((abs(x) for x in (value, low, high) if math.isfinite(x)), default=0.0)
    half = (high - low) / 2 if math.isfinite(high - low) else 0.0
    if greatest >= 1e5 or 0 < greatest < 1e-3:
        return f"{number(value)} [{number(low)}, {number(high)}]"
    if half > 1e-9 * greatest:
        decimals = min(5, max(0, 1 - math.floor(math.log10(half)), _decimals(abs(value), 2)))
    else:
        decimals = 0 if value == round(value, 9) and round(value, 9) % 1 == 0 else _decimals(greatest)
    return f"{fixed(value, decimals)} [{fixed(low, decimals)}, {fixed(high, decimals)}]"


def number(value: float | None) -> str:
    """Three significant digits, without an exponent where that can be read; whole numbers stay whole."""
    if missing(value):
        return NONE
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    if value and not 1e-3 <= abs(value) < 1e5:
        return _power(f"{value:.2e}")
    return fixed(value, 0 if value == int(value) else _decimals(abs(value)))


def setting(value: float) -> str:
    """A number that somebody chose: all its digits and no more."""
    text = f"{value:.12g}"
    if "e" in text or 0 < abs(value) < 1e-3 or abs(value) >= 1e6:
        mantissa, exponent = f"{value:.11e}".split("e")
        return _power(f"{mantissa.rstrip('0').rstrip('.')}e{exponent}")
    return fixed(value, len(text.partition(".")[2]))


def fixed(value: float, decimals: int) -> str:
    """``decimals`` after the point, thin spaces between thousands, a proper minus, and never a negative zero."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    whole, point, fraction = text.partition(".")
    digits = whole.replace(",", "").lstrip("-")
    whole = whole.replace(",", "\u2009") if len(digits) > 4 else whole.replace(",", "")
    return (whole + point + fraction).replace("-", "−")


def duration(seconds: float | None) -> str:
    """Seconds, minutes or hours, whichever is read most easily."""
    if missing(seconds):
        return NONE
    if seconds < 90:
        return f"{number(seconds)}\u00a0s"
    return f"{number(seconds / 60)}\u00a0min" if seconds < 5400 else f"{number(seconds / 3600)}\u00a0h"


def missing(value: Any) -> bool:
    """Whether there is no number."""
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _decimals(size: float, digits: int = 3) -> int:
    """Decimals that show ``size`` with that many significant digits, at most five."""
    return min(5, max(0, digits - 1 - math.floor(math.log10(size)))) if size > 0 and math.isfinite(size) else 0


def _power(text: str) -> str:
    """``1.50e-05`` as 1.50×10⁻⁵, ``1e-08`` as 10⁻⁸."""
    mantissa, exponent = text.split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    mantissa = mantissa.replace("-", "−")
    return {"1": power, "−1": f"−{power}"}.get(mantissa, f"{mantissa}×{power}")


def _cell(row: dict[Any, Any], column: Column) -> str:
    value = row[column.value]
    if missing(value):
        return NONE
    if column.kind == "text":
        return str(value)
    if column.kind == "count":
        return fixed(float(value), 0)
    if column.kind == "share":
        return f"{number(100 * float(value))}\u00a0%"
    if column.kind == "seconds":
        return duration(float(value))
    if column.low and column.high:
        return estimate(float(value), *(_float(row[c]) for c in (column.low, column.high)))
    return number(float(value))


def _float(value: Any) -> float | None:
    return None if missing(value) else float(value)
