"""Says what a field's soil and crop are like: the tables that the water balance stands on, under the names that registries use.

Soils: field capacity, wilting point and saturation that FAO's AquaCrop gives for each texture of the USDA's triangle (reference manual,
soil characteristics); FAO-56's Table 19 gives ranges and lacks half of the textures. Residual moisture: the means of Carsel and Parrish
(1988, Water Resources Research 24, 755 to 769), below which no soil in a field dries. Crops: FAO-56 Table 11 (lengths of stages), 12 (crop
coefficients) and 22 (roots, depletion). Table 22 gives a range of root depths: its smaller values, which are meant for scheduling
irrigation. Names are read whatever their case, spaces and dashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from schemas.agronomy import plain

SMALLEST_ROOT_DEPTH = 0.2
"""Depth in m that roots draw from until the crop develops (FAO-56, chapter 8)."""

_AUTUMN = {True: range(8, 13), False: range(2, 7)}
"""Months of sowing of a winter cereal, north and south of the equator."""


@dataclass(frozen=True, slots=True)
class Soil:
    """Holds the volumetric moisture in m3/m3 at field capacity, at the wilting point, with every pore full, and as dry as air makes it."""

    field_capacity: float
    wilting_point: float
    saturation: float
    residual: float


@dataclass(frozen=True, slots=True)
class Crop:
    """Describes a crop's season: `stages` are the days of the initial, development, middle and late stage; `coefficients` are Kc at the
    beginning, in the middle and at the end; `root_depth_max` is in m; `depletion_fraction` of the available water may be used without
    stress (p).
    """

    stages: tuple[int, int, int, int]
    coefficients: tuple[float, float, float]
    root_depth_max: float
    depletion_fraction: float

    @property
    def days(self) -> int:
        """Counts the days from sowing to the end of the late stage."""
        return sum(self.stages)

    @property
    def middle(self) -> int:
        """Returns the first day on which coefficient and roots are at their greatest."""
        return self.stages[0] + self.stages[1]

    def coefficient(self, age: int) -> float:
        """Returns Kc so many days after sowing: level, rising, level, falling, and the last value after that (FAO-56, figure 34)."""
        initial, development, middle, late = self.stages
        first, greatest, last = self.coefficients
        rise = _passed(age - initial, development)
        fall = _passed(age - self.middle - middle, late)
        return first + rise * (greatest - first) + fall * (last - greatest)

    def root_depth(self, age: int) -> float:
        """Returns the depth in m so many days after sowing: roots grow while the coefficient rises (FAO-56, chapter 8)."""
        return SMALLEST_ROOT_DEPTH + _passed(age - self.stages[0], self.stages[1]) * (self.root_depth_max - SMALLEST_ROOT_DEPTH)


def soil(name: str) -> Soil | None:
    """Finds a soil; None for a texture that is not in the table."""
    return SOILS.get(plain(name))


def crop(name: str, planted: datetime | None, latitude: float | None) -> Crop | None:
    """Finds a crop; None for one that is not in the table. Wheat that was sown in autumn is winter wheat."""
    known = plain(name)
    if known == "wheat" and planted and planted.month in _AUTUMN[latitude is None or latitude >= 0]:
        known = "winterwheat"
    return CROPS.get(known)


def _passed(days: float, of: float) -> float:
    """Returns how much of a stage has passed, 0 to 1."""
    return min(max(days / of, 0.0), 1.0)


SOILS: Mapping[str, Soil] = MappingProxyType(
    {
        "sand": Soil(0.13, 0.06, 0.36, 0.045),
        "loamysand": Soil(0.16, 0.08, 0.38, 0.057),
        "sandyloam": Soil(0.22, 0.10, 0.41, 0.065),
        "loam": Soil(0.31, 0.15, 0.46, 0.078),
        "siltloam": Soil(0.33, 0.13, 0.46, 0.067),
        "silt": Soil(0.33, 0.09, 0.43, 0.034),
        "sandyclayloam": Soil(0.32, 0.20, 0.47, 0.100),
        "clayloam": Soil(0.39, 0.23, 0.50, 0.095),
        "siltclayloam": Soil(0.44, 0.23, 0.52, 0.089),
        "siltyclayloam": Soil(0.44, 0.23, 0.52, 0.089),
        "sandyclay": Soil(0.39, 0.27, 0.50, 0.100),
        "siltclay": Soil(0.50, 0.32, 0.54, 0.070),
        "siltyclay": Soil(0.50, 0.32, 0.54, 0.070),
        "clay": Soil(0.54, 0.39, 0.55, 0.068),
    }
)

CROPS: Mapping[str, Crop] = MappingProxyType(
    {
        "barley": Crop((20, 25, 60, 30), (0.3, 1.15, 0.25), 1.0, 0.55),
        "cotton": Crop((30, 50, 60, 55), (0.35, 1.17, 0.6), 1.0, 0.65),
        "drybean": Crop((20, 30, 40, 20), (0.4, 1.15, 0.35), 0.6, 0.45),
        "maize": Crop((30, 40, 50, 30), (0.3, 1.2, 0.35), 1.0, 0.55),
        "potato": Crop((25, 30, 45, 30), (0.5, 1.15, 0.75), 0.4, 0.35),
        "sorghum": Crop((20, 35, 40, 30), (0.3, 1.05, 0.55), 1.0, 0.55),
        "soybean": Crop((20, 35, 60, 25), (0.5, 1.15, 0.5), 0.6, 0.5),
        "sugarbeet": Crop((50, 40, 50, 40), (0.35, 1.2, 0.7), 0.7, 0.55),
        "sunflower": Crop((25, 35, 45, 25), (0.35, 1.1, 0.35), 0.8, 0.45),
        "tomato": Crop((30, 40, 45, 30), (0.6, 1.15, 0.8), 0.7, 0.4),
        "wheat": Crop((20, 25, 60, 30), (0.3, 1.15, 0.25), 1.0, 0.55),
        "winterwheat": Crop((30, 140, 40, 30), (0.7, 1.15, 0.25), 1.5, 0.55),
    }
)
