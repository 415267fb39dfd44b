"""Lists the real daily climates that aquacrop ships, which crops grow in them and when they are planted.

Held-out climates are never seen in training: another coast of another sea, and an island in the lee of the ones trained on. Features,
network and interval were chosen by looking at errors there, so they are no last word; confirmation climates were looked at once, when
everything was chosen. All of those are English: the package ships no further dry one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Climate:
    """A place has daily weather from January of `first_year` through `last_year`; `plantings` maps crop to MM/DD."""

    name: str
    place: str
    first_year: int
    last_year: int
    plantings: Mapping[str, str]

    @property
    def file(self) -> str:
        return f"{self.name}_climate.txt"


@dataclass(frozen=True, slots=True)
class Weather:
    """Weather is daily: temperatures in deg C, rain and reference evapotranspiration in mm."""

    dates: np.ndarray[Any, np.dtype[np.datetime64]]
    low: np.ndarray[Any, np.dtype[np.float64]]
    high: np.ndarray[Any, np.dtype[np.float64]]
    rain: np.ndarray[Any, np.dtype[np.float64]]
    evapotranspiration: np.ndarray[Any, np.dtype[np.float64]]


_MARITIME = {"Potato": "04/25", "Maize": "05/01", "SugarBeet": "04/10", "Barley": "03/20"}
_SUBTROPICAL_SOUTH = {"Maize": "10/15", "Soybean": "11/10", "Sunflower": "10/01", "Sorghum": "11/01", "Cotton": "10/20", "Potato": "08/20"}
_MONSOON = {"Maize": "11/01", "Cotton": "07/01", "Tomato": "12/01", "Sorghum": "10/10", "Sunflower": "01/10", "Potato": "10/25"}
_CONTINENTAL = {"Maize": "05/05", "Soybean": "05/15", "Sorghum": "05/20", "DryBean": "05/25", "SugarBeet": "04/25", "Potato": "04/25"}
_MEDITERRANEAN = {"Tomato": "04/10", "Maize": "04/15", "Potato": "02/15", "Sunflower": "03/10", "Cotton": "04/20", "Wheat": "11/20"}

CLIMATES: Mapping[str, Climate] = MappingProxyType(
    {
        climate.name: climate
        for climate in (
            Climate("champion", "Champion, Nebraska", 1982, 2018, _CONTINENTAL),
            Climate("cordoba", "Cordoba, Argentina", 1991, 2021, _SUBTROPICAL_SOUTH),
            Climate("hyderabad", "Hyderabad, India", 2000, 2010, _MONSOON),
            Climate("brussels", "Brussels, Belgium", 1976, 2005, _MARITIME),
            Climate("north_yorks", "North Yorkshire, England", 1991, 2021, _MARITIME),
            Climate("tunis", "Tunis, Tunisia", 1979, 2001, _MEDITERRANEAN),
            Climate("suffolk", "Suffolk, England", 1991, 2021, _MARITIME),
            Climate("cambridge", "Cambridge, England", 1991, 2021, _MARITIME),
            Climate("lincolnshire", "Lincolnshire, England", 1991, 2021, _MARITIME),
            Climate("norfolk", "Norfolk, England", 1991, 2021, _MARITIME),
            Climate("northumberland", "Northumberland, England", 1991, 2021, _MARITIME),
        )
    }
)
HELD_OUT_CLIMATES = ("tunis", "suffolk")
CONFIRMATION_CLIMATES = ("cambridge", "lincolnshire", "norfolk", "northumberland")
TRAINING_CLIMATES = tuple(name for name in CLIMATES if name not in HELD_OUT_CLIMATES + CONFIRMATION_CLIMATES)


@cache
def weather(climate: str) -> Weather:
    """Reads all the weather of a climate from the installed aquacrop package."""
    table = np.loadtxt(_data_directory() / CLIMATES[climate].file, skiprows=1)
    day, month, year = table[:, :3].astype(int).T
    dates = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    return Weather(dates.astype("datetime64[D]") + (day - 1), table[:, 3], table[:, 4], table[:, 5], np.maximum(table[:, 6], 0.1))


def _data_directory() -> Path:
    spec = find_spec("aquacrop")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("aquacrop is not installed: pip install 'tinybeam[train]'")
    return Path(spec.origin).parent / "data"
