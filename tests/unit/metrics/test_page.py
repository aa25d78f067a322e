"""docs/metrics.md says of every metric what its YAML says."""

from __future__ import annotations

import re
from pathlib import Path

from strangecast.evaluation.metric_option import worst_value
from strangecast.workflow.compose import Registry

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
REGISTRY = Registry()


def rows() -> dict[str, list[str]]:
    """Cells by name."""
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len({name for name, _ in found}) == len(found)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


def test_every_metric_is_there_with_its_unit_and_direction():
    table = rows()
    assert sorted(table) == REGISTRY.names("metric")
    for name, (definition, unit, better, _, _) in table.items():
        config = REGISTRY.option("metric", name, "laptop")
        assert definition
        assert (unit, better) == (config["unit"], config["better"]), name


def test_the_worst_is_the_end_of_the_range_or_infinitely_bad():
    for name, (_, _, better, values, _) in rows().items():
        low, _, high = values.replace(" or ", " to ").partition(" to ")
        end = high if better == "lower" else low
        assert abs(worst_value(name, REGISTRY.option("metric", name, "laptop"))) in (abs(float(end)), float("inf")), (
            name
        )
