"""The committed catalogue."""

from __future__ import annotations

import subprocess
import sys

import pytest

from strangecast.core.errors import ConfigError
from strangecast.systems import catalogue


def test_it_equals_dysts():
    assert catalogue.PATH.read_text(encoding="utf-8") == catalogue.render(catalogue.rebuild())


def test_numbers_of_systems():
    rows = list(catalogue.entries().values())
    assert sum(r.kind == "flow" for r in rows) == 129
    assert sum(r.kind == "delay" for r in rows) == 6
    assert sum(len(r.unbounded) > 0 for r in rows) == 19
    assert sum(not r.smooth for r in rows) == 11


def test_nearest_name():
    with pytest.raises(ConfigError, match="did you mean 'Lorenz'"):
        catalogue.lookup("lorenz")


def test_what_a_system_offers():
    assert catalogue.lookup("Lorenz").offers == {"vector_field", "jacobian", "stepper", "state"}
    assert catalogue.lookup("MackeyGlass").offers == set()


def test_reading_it_is_light():
    code = (
        "import sys; from strangecast.systems import catalogue; catalogue.lookup('Lorenz');"
        "print([m for m in ('dysts', 'pandas', 'numpy', 'scipy', 'numba') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
