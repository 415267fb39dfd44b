"""Lists the soils and crops that a registry may name: those that the water balance has tables for (`pipeline.irrigation.crops`)."""

from __future__ import annotations

import re

SOILS = (
    "sand",
    "loamy sand",
    "sandy loam",
    "loam",
    "silt loam",
    "silt",
    "sandy clay loam",
    "clay loam",
    "silt clay loam",
    "silty clay loam",
    "sandy clay",
    "silt clay",
    "silty clay",
    "clay",
)
"""Textures of the USDA's triangle; silt clay and silt clay loam are other spellings of silty clay and silty clay loam."""

CROPS = (
    "barley",
    "cotton",
    "dry bean",
    "maize",
    "potato",
    "sorghum",
    "soybean",
    "sugar beet",
    "sunflower",
    "tomato",
    "wheat",
    "winter wheat",
)


def plain(name: str) -> str:
    """Strips from a name what people write differently: case, spaces, dashes and underscores."""
    return re.sub(r"[\s_-]", "", name).casefold()
