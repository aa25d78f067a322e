"""Names of skew products: ``skew-<kind>-<driver>-<response>-<number>``, such as ``skew-additive-Lorenz-Rossler-0``.

A name says everything: which systems are coupled, and how, because the coupling is drawn from the name. The number
tells apart several couplings of one pair, which share one graph. What the planner may know follows from the catalogue
rows of the parents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from strangecast.core.errors import ConfigError, unknown
from strangecast.core.streams import stream
from strangecast.systems import catalogue

PREFIX = "skew-"
KINDS = ("additive", "activated")
ACTIVATIONS = ("tanh", "sin", "relu")


@dataclass(frozen=True)
class SkewName:
    """The parts of a name."""

    kind: str
    driver: str
    response: str
    number: int

    @property
    def name(self) -> str:
        """Put together."""
        return f"{PREFIX}{self.kind}-{self.driver}-{self.response}-{self.number}"

    @property
    def activation(self) -> str:
        """What bends the drive of an activated coupling; of ``ACTIVATIONS``, drawn for the pair. Others have ''."""
        if self.kind != "activated":
            return ""
        return ACTIVATIONS[int(stream("activation", self.driver, self.response).integers(len(ACTIVATIONS)))]

    @property
    def structure(self) -> str:
        """What products with one graph have in common: the name without the number."""
        return self.name.rpartition("-")[0]

    @property
    def entry(self) -> catalogue.Entry:
        """The row that the product would have in the catalogue; its channels are those of the response."""
        driver, response = catalogue.lookup(self.driver), catalogue.lookup(self.response)
        smooth = driver.smooth and response.smooth and self.activation != "relu"
        return replace(
            response,
            name=self.name,
            kind="skew",
            dim=driver.dim + response.dim,
            parameters=(
                *(f"driver.{p}" for p in driver.parameters),
                *(f"response.{p}" for p in response.parameters),
                "clock",
                *coupling_parameters(self.kind, driver.dim, response.dim),
            ),
            autonomous=driver.autonomous and response.autonomous,
            unbounded=(*driver.unbounded, *(driver.dim + i for i in response.unbounded)),
            smooth=smooth,
            observed=response.channels,
        )


def coupling_parameters(kind: str, driver: int, response: int) -> tuple[str, ...]:
    """Names of a coupling's parameters, for a driver and a response of these dimensions; explained in ``coupling.py``."""
    drive = [f"drive[{i},{j}]" for i in range(response) for j in range(driver)]
    if kind == "additive":
        return (*drive, *(f"own[{i}]" for i in range(response)))
    own = [f"own[{i},{j}]" for i in range(response) for j in range(response)]
    return (*(f"gain[{i}]" for i in range(response)), *drive, *own)


def parse(name: str) -> SkewName | None:
    """The parts of a skew product's name, None where it is the name of something else.

    Raises:
        ConfigError: it begins as one and cannot be one; the message says why.
    """
    if not str(name).startswith(PREFIX):
        return None
    parts = name.removeprefix(PREFIX).split("-")
    if len(parts) != 4 or not parts[3].isascii() or not parts[3].isdigit():
        raise ConfigError(f"'{name}' is no skew product: skew-<kind>-<driver>-<response>-<number> is needed")
    kind, driver, response, number = parts
    if kind not in KINDS:
        raise ConfigError(f"'{name}': {unknown('kind of coupling', kind, KINDS)}")
    for parent in (driver, response):
        if catalogue.lookup(parent).kind != "flow":
            raise ConfigError(f"'{name}': {parent} is a {catalogue.lookup(parent).kind}; only ODE flows can be coupled")
    found = SkewName(kind, driver, response, int(number))
    if found.name != name:
        raise ConfigError(f"'{name}' is written {found.name}")
    return found
