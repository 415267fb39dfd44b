"""Knows units: which convert into which, and what no quantity in a unit can be. Pure.

A value is converted only between units that both are named here; any other text is a unit like itself alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Linear:
    """Turns a value into `scale * value + offset`."""

    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, value: float) -> float:
        return self.scale * value + self.offset

    def then(self, other: Linear) -> Linear:
        """Returns what both do, one after the other."""
        return Linear(self.scale * other.scale, other.scale * self.offset + other.offset)

    def inverse(self) -> Linear:
        return Linear(1 / self.scale, -self.offset / self.scale)


@dataclass(frozen=True, slots=True)
class Range:
    """Holds the least and the greatest value that is possible."""

    low: float = -math.inf
    high: float = math.inf

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def within(self, other: Range) -> Range:
        """Returns what lies in both."""
        return Range(max(self.low, other.low), min(self.high, other.high))

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class _Unit:
    """Says of a unit what it measures, how it becomes that quantity's first unit, and what is possible."""

    quantity: str
    to_first: Linear = Linear()
    possible: Range = Range()


_POSITIVE = Range(low=0.0)
_CONTENT = "water content"

_UNITS: Mapping[str, _Unit] = {
    "m3/m3": _Unit(_CONTENT, possible=Range(0.0, 1.0)),
    "%": _Unit(_CONTENT, Linear(0.01)),
    "degC": _Unit("temperature", possible=Range(low=-273.15)),
    "degF": _Unit("temperature", Linear(5 / 9, -160 / 9), Range(low=-459.67)),
    "K": _Unit("temperature", Linear(1, -273.15), _POSITIVE),
    "Pa": _Unit("pressure"),
    "hPa": _Unit("pressure", Linear(100)),
    "mbar": _Unit("pressure", Linear(100)),
    "kPa": _Unit("pressure", Linear(1000)),
    "bar": _Unit("pressure", Linear(100_000)),
    "mmHg": _Unit("pressure", Linear(133.322387415)),
    "inHg": _Unit("pressure", Linear(3386.388640341)),
    "m/s2": _Unit("acceleration"),
    "g": _Unit("acceleration", Linear(9.80665)),
    "mg": _Unit("acceleration", Linear(0.00980665)),
    "m/s": _Unit("speed"),
    "km/h": _Unit("speed", Linear(1 / 3.6)),
    "mm/s": _Unit("speed", Linear(0.001)),
    "V": _Unit("voltage"),
    "mV": _Unit("voltage", Linear(0.001)),
    "A": _Unit("current"),
    "mA": _Unit("current", Linear(0.001)),
    "dS/m": _Unit("conductivity", possible=_POSITIVE),
    "mS/cm": _Unit("conductivity", possible=_POSITIVE),
    "uS/cm": _Unit("conductivity", Linear(0.001), _POSITIVE),
    "mm": _Unit("length"),
    "cm": _Unit("length", Linear(10)),
    "m": _Unit("length", Linear(1000)),
    "in": _Unit("length", Linear(25.4)),
}
"""A quantity's first unit is the one with no conversion."""

_ALSO_CALLED = {
    **dict.fromkeys(("m³/m³", "cm3/cm3", "cm³/cm³"), "m3/m3"),
    **dict.fromkeys(("percent", "vol%", "vol.%", "% vol"), "%"),
    **dict.fromkeys(("°C", "deg C", "Cel"), "degC"),
    **dict.fromkeys(("°F", "deg F"), "degF"),
}


def _unit(name: str) -> _Unit | None:
    return _UNITS.get(_ALSO_CALLED.get(name, name))


def is_known(name: str) -> bool:
    """Says whether the unit is one of those here."""
    return _unit(name) is not None


def conversion(unit: str, to: str) -> Linear | None:
    """Returns how values in a unit become values in another, None where nobody can say."""
    if unit == to:
        return Linear()
    first, second = _unit(unit), _unit(to)
    if first is None or second is None or first.quantity != second.quantity:
        return None
    return first.to_first.then(second.to_first.inverse())


def alike(unit: str) -> list[str]:
    """Returns the other units that it converts into."""
    return [other for other in _UNITS if other != unit and conversion(unit, other)]


def possible(unit: str) -> Range:
    """Returns what a quantity in this unit can be: everything, for a unit that is not known."""
    known = _unit(unit)
    return known.possible if known else Range()
