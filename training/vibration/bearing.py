"""Says how often a damaged rolling bearing is struck, and when. Pure; chance comes from the generator that is passed in.

Characteristic frequencies: Randall and Antoni, Rolling element bearing diagnostics: a tutorial, Mech. Syst. Signal Process. 25 (2011),
equations 1 to 4. Strikes with random slip: Antoni and Randall, J. Vib. Acoust. 125 (2003). Load zone: McFadden and Smith, J. Sound Vib.
96 (1984), after Stribeck. Entry and exit of a spall: Sawalhi and Randall, Mech. Syst. Signal Process. 25 (2011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Fault = Literal["outer", "inner", "element"]
FAULTS: tuple[Fault, ...] = ("outer", "inner", "element")
_OUTSIDE_LOAD_ZONE = 0.05
_SECOND_RACE = 0.6


@dataclass(frozen=True, slots=True)
class Bearing:
    """A bearing has a still outer ring. `pitch` and `diameter` (of a rolling element) are in one unit, the `contact` angle in degrees."""

    name: str
    elements: int
    diameter: float
    pitch: float
    contact: float = 0.0

    @property
    def cage(self) -> float:
        """Returns the turns of the cage in one of the shaft (FTF)."""
        return (1 - self._ratio) / 2

    def strikes(self, fault: Fault) -> float:
        """Returns the strikes in one turn of the shaft: BPFO, BPFI, or twice BSF, since a damaged element strikes both races."""
        if fault == "element":
            return (1 - self._ratio**2) * self.pitch / self.diameter
        return self.elements * (self.cage if fault == "outer" else 1 - self.cage)

    @property
    def _ratio(self) -> float:
        return self.diameter / self.pitch * math.cos(math.radians(self.contact))


BEARINGS = (
    Bearing("6205-2RS JEM (Case Western Reserve University, drive end)", 9, 0.3126, 1.537),
    Bearing("6203-2RS JEM (Case Western Reserve University, fan end)", 8, 0.2656, 1.122),
    Bearing("NICE (Society for Machinery Failure Prevention Technology)", 8, 0.235, 1.245),
    Bearing("Rexnord ZA-2115 (University of Cincinnati, IMS)", 16, 0.331, 2.815, 15.17),
    Bearing("PRONOSTIA (FEMTO-ST)", 13, 3.5, 25.6),
)
"""Published test rigs run on these, so that later measurements can be compared with them."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Says how a bearing runs just now: turns of the shaft in a second, and the load as a share of the machine's rated one."""

    speed_hz: float
    load: float


@dataclass(frozen=True, slots=True)
class Slip:
    """Elements slide as well as roll: the mean rate is off by the share `mean`, each interval by a random share, its standard deviation
    `jitter`.
    """

    mean: float
    jitter: float


def strikes(  # noqa: PLR0913 - what is damaged how, and how it runs
    bearing: Bearing, fault: Fault, point: OperatingPoint, slip: Slip, *, span: tuple[float, float], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draws moments of strikes within `span`, in seconds, and how hard each is: 1 in the middle of the load zone, less elsewhere."""
    rate = bearing.strikes(fault) * point.speed_hz * (1 + slip.mean)
    count = int((span[1] - span[0]) * rate * (1 + 5 * slip.jitter)) + 3
    intervals = np.maximum(1 + slip.jitter * rng.standard_normal(count), 0.1) / rate
    moments = span[0] - rng.random() / rate + np.cumsum(intervals)
    force = _in_load_zone(bearing, fault, point, moments, rng) * np.exp(0.15 * rng.standard_normal(count))
    within = (moments >= span[0]) & (moments < span[1])
    return moments[within], force[within]


def load_share(angle: Floats, zone: float) -> Floats:
    """Returns Stribeck's distribution: the load at `angle` (radians) from where it is largest, for point contact; `zone` is its projected
    width.
    """
    return np.asarray(np.maximum(1 - (1 - np.cos(angle)) / (2 * zone), 0.0) ** 1.5)


def _in_load_zone(bearing: Bearing, fault: Fault, point: OperatingPoint, moments: Floats, rng: np.random.Generator) -> Floats:
    """Weighs strikes by the load: a spot on the outer race stays in the zone, one on the inner race turns with the shaft, one on an
    element with the cage.
    """
    if fault == "outer":
        return np.ones(len(moments))
    turns = point.speed_hz * (1.0 if fault == "inner" else bearing.cage)
    share = load_share(2 * np.pi * (turns * moments + rng.random()), 0.35 + 0.25 * point.load)
    force = np.maximum(share, _OUTSIDE_LOAD_ZONE)
    return force * np.where(np.arange(len(moments)) % 2, _SECOND_RACE, 1.0) if fault == "element" else force
