"""What eyes can tell apart: contrast by WCAG 2, and colours as those see them who lack a kind of cone.

Contrast: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio. Sights: Machado, Oliveira, Fernandes (2009), of severity 1, in linear RGB.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]
"""Red, green, blue from 0 to 1, as a screen is told them."""

SIGHTS = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}
_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
_WHITE = _XYZ.sum(axis=1)


def colour(css: str) -> Colour:
    """Reads `rgb(1, 2, 3)` as browsers compute it."""
    return np.array([float(part) / 255 for part in re.findall(r"[\d.]+", css)[:3]])


def contrast(one: Colour, other: Colour) -> float:
    """Returns 1 for the same up to 21 for black and white."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def difference(one: Colour, other: Colour, sight: str) -> float:
    """Returns how far apart two colours are for a sight, as CIE76: 2.3 is just noticeable."""
    return math.dist(_lab(one, sight), _lab(other, sight))


def _linear(one: Colour) -> Colour:
    return np.where(one <= 0.04045, one / 12.92, ((one + 0.055) / 1.055) ** 2.4)


def _luminance(one: Colour) -> float:
    return float(_XYZ[1] @ _linear(one))


def _lab(one: Colour, sight: str) -> tuple[float, float, float]:
    seen = np.clip(SIGHTS[sight] @ _linear(one), 0, 1)
    x, y, z = (each ** (1 / 3) if each > 216 / 24389 else (24389 / 27 * each + 16) / 116 for each in _XYZ @ seen / _WHITE)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
