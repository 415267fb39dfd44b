"""Turns a frame of samples into time-domain features and, by a recipe, log10 energies of frequency bands. Pure.

numpy is imported when first needed, so that a gateway without frame sensors does without it.

Everything is about the frame's own mean: gravity and a sensor's offset are no vibration. The energies are sums over a periodogram under
a Hann window, one-sided and scaled by the window's power (Heinzel, Ruediger, Schilling, Spectrum and spectral density estimation by the
DFT, 2002; Welch, IEEE Trans. Audio AU-15, 1967), so that bands from 0 to half the rate add up to the windowed mean square of the frame.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from schemas.envelope import ID_PATTERN

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

MIN_SAMPLES, MAX_SAMPLES = 64, 16384
MAX_RATE_HZ = 1e6
MAX_BANDS = 60
FLOOR = 1e-12
DIMENSIONLESS = "1"
"""The unit of a kurtosis, as in UCUM."""

_FEATURES = ("rms", "peak", "kurtosis")
_KEYS = {"channel", "rate_hz", "samples", "edges_hz", "floor"}


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Says which frames a model takes, and its bands: band i holds the frequencies from `edges_hz[i]` to below `edges_hz[i + 1]`, the last
    one its upper edge too. No energy counts as less than `floor`, in the channel's unit squared.
    """

    channel: str
    rate_hz: float
    samples: int
    edges_hz: tuple[float, ...]
    floor: float = FLOOR

    @staticmethod
    def parse(source: Any) -> Spectrum:
        """Reads `source`, the object `recipe.spectrum` of a manifest. Raises ValueError."""
        if not isinstance(source, Mapping) or not _KEYS - {"floor"} <= source.keys() <= _KEYS:
            raise ValueError(f"needs {', '.join(sorted(_KEYS - {'floor'}))}, may have floor, and nothing else")
        if not isinstance(source["edges_hz"], list) or not all(map(_is_number, source["edges_hz"])):
            raise ValueError("edges_hz must be a list of numbers")
        if not _is_number(source["rate_hz"]) or not _is_number(source.get("floor", FLOOR)) or type(source["samples"]) is not int:
            raise ValueError("rate_hz and floor must be numbers, samples a whole number")
        edges = tuple(map(float, source["edges_hz"]))
        spectrum = Spectrum(source["channel"], float(source["rate_hz"]), source["samples"], edges, float(source.get("floor", FLOOR)))
        _check(spectrum)
        return spectrum

    @property
    def names(self) -> tuple[str, ...]:
        """Names the bands, as the steps of a recipe know them."""
        return tuple(f"{self.channel}_band{number:02}" for number in range(len(self.edges_hz) - 1))

    @property
    def fingerprint(self) -> str:
        """Returns a hash of the recipe, which distinguishes its energies from those of another: 16 hexadecimal digits."""
        return _fingerprint(self)

    def fits(self, channel: str, rate_hz: float, samples: int) -> bool:
        """Says whether such a frame has these bands."""
        return (channel, rate_hz, samples) == (self.channel, self.rate_hz, self.samples)

    def is_constant(self, means: Mapping[str, float]) -> bool:
        """Says whether frames with these time-domain features do not vary at all: no machine and no noise gives such."""
        return means.get(f"{self.channel}_rms") == 0.0

    def energies(self, frames: Floats) -> Floats:
        """Returns log10 of each band's mean square, in the channel's unit squared: shape (..., samples) -> (..., bands)."""
        import numpy as np

        window, weights, firsts = _plan(self)
        values = frames.astype(np.float64)
        lines = np.abs(np.fft.rfft((values - values.mean(axis=-1, keepdims=True)) * window)) ** 2 * weights
        # The lines from the last edge on are no band.
        sums = np.add.reduceat(lines, firsts, axis=-1)[..., : len(self.edges_hz) - 1]
        energies: Floats = np.log10(np.maximum(sums, self.floor))
        return energies


def time_domain_features(channel: str, frame: Floats) -> dict[str, float]:
    """Returns root mean square and largest size about the mean, in the channel's unit, and kurtosis (the fourth moment over the squared
    second: 3 for noise, more for shocks).
    `frame` has shape (samples,) and is float32, whose mean is exact: one that does not vary has no kurtosis.
    """
    import numpy as np

    values = frame.astype(np.float64)
    values -= values.mean()
    squares = values * values
    square = float(squares.mean())
    features = {f"{channel}_rms": math.sqrt(square), f"{channel}_peak": float(np.abs(values).max())}
    if square > 0 and math.isfinite(kurtosis := float((squares * squares).mean()) / square / square):
        features[f"{channel}_kurtosis"] = kurtosis
    return features


def time_domain_units(channel: str, unit: str) -> dict[str, str]:
    """Returns the unit of each time-domain feature of a channel in this unit."""
    return dict(zip((f"{channel}_{feature}" for feature in _FEATURES), (unit, unit, DIMENSIONLESS), strict=True))


@lru_cache(64)
def _plan(spectrum: Spectrum) -> tuple[Floats, Floats, Any]:
    """Returns the window, the weight of each line of the periodogram, and the first line of each band and of what lies beyond the last."""
    import numpy as np

    count = spectrum.samples
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / count)
    weights = np.full(count // 2 + 1, 2.0 / (count * float((window * window).sum())))
    weights[0] /= 2
    if count % 2 == 0:
        weights[-1] /= 2
    return window, weights, np.array([first for first in _lines(spectrum) if first <= count // 2])


def _lines(spectrum: Spectrum) -> list[int]:
    """Returns the first line of each band, and the first beyond the last band. An edge within a billionth of a line counts as on it."""
    edges = [edge * spectrum.samples / spectrum.rate_hz for edge in spectrum.edges_hz]
    return [*(math.ceil(edge - 1e-9) for edge in edges[:-1]), math.floor(edges[-1] + 1e-9) + 1]


def _check(spectrum: Spectrum) -> None:
    edges = spectrum.edges_hz
    if not isinstance(spectrum.channel, str) or not ID_PATTERN.fullmatch(spectrum.channel):
        raise ValueError(f"channel {spectrum.channel!r} is not a name")
    if not 1 <= spectrum.rate_hz <= MAX_RATE_HZ or not spectrum.floor > 0:
        raise ValueError(f"rate_hz must be 1 to {MAX_RATE_HZ:g} and floor > 0")
    if not MIN_SAMPLES <= spectrum.samples <= MAX_SAMPLES:
        raise ValueError(f"samples must be {MIN_SAMPLES} to {MAX_SAMPLES}, not {spectrum.samples}")
    if not 1 <= len(edges) - 1 <= MAX_BANDS or list(edges) != sorted(set(edges)):
        raise ValueError(f"edges_hz must ascend and make 1 to {MAX_BANDS} bands")
    if edges[0] < 0 or edges[-1] > spectrum.rate_hz / 2:
        raise ValueError(f"edges_hz must lie between 0 and half of rate_hz, {spectrum.rate_hz / 2:g}")
    for number, (first, beyond) in enumerate(pairwise(_lines(spectrum))):
        if first >= beyond:
            raise ValueError(f"band {number} is narrower than the lines of {spectrum.samples} samples lie apart")


@lru_cache(64)
def _fingerprint(spectrum: Spectrum) -> str:
    return blake2b(json.dumps(asdict(spectrum), sort_keys=True).encode(), digest_size=8).hexdigest()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
