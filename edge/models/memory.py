"""Keeps what the features of devices remember, by device, model and recipe: the section `features`.

A model in the shadow has a memory of its own, for what a model says decides what is learned. The memory belongs to the windows it came
from: the section must be committed by the cut that closes them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container
from math import fsum
from typing import NamedTuple

from edge.models.bundle import Bundle
from edge.models.features import advance, not_judged, settle
from edge.models.not_judged import NotJudged
from edge.spectrum import Spectrum
from edge.store.section import Sections
from edge.summaries.summarise import channel_means
from edge.window import Window
from schemas.envelope import from_micros

_FINGERPRINT_BYTES = 8
_SHADOW = "/shadow"
_OF_A_RECIPE = re.compile(rf"/([0-9a-f]{{{2 * _FINGERPRINT_BYTES}}})({_SHADOW})?$")


class Observation(NamedTuple):
    """Holds the memory before a window, the model's inputs, and where there are none what the machine is instead, if that is known."""

    before: bytes | None
    features: tuple[float, ...] | None
    unjudged: NotJudged | None


class FeatureMemory:
    """Usage: `observed = memory.observe(bundle, window)`; once it is judged, `memory.settle(bundle, window, observed, is_normal=...)`."""

    def __init__(self, section: Sections) -> None:
        self.section = section("features")
        for key in [key for key in self.section.items() if not _OF_A_RECIPE.search(key)]:
            self._adopt(key)

    def observe(self, bundle: Bundle, window: Window, *, shadow: bool = False) -> Observation:
        """Takes a window into the memory of its device."""
        key, recipe = _key(window, bundle, shadow=shadow), bundle.recipe
        means = {**channel_means(window), **window.inputs, **bundle.constants.of(window.device_id)}
        if recipe.spectrum:
            means |= _band_means(recipe.spectrum, window)
        before, start = self.section.get(key), from_micros(window.start_us)
        memory, features = advance(recipe, before, start, window.seconds, means)
        self.section.set(key, memory)
        return Observation(before, features, None if features else not_judged(recipe, before, start, window.seconds, means))

    def inherit(self, bundle: Bundle, before: Bundle, window: Window) -> None:
        """Lets a model begin with what the one before it remembers of the window's device, where both remember the same."""
        key, known = _key(window, bundle, shadow=False), self.section.get(_key(window, before, shadow=False))
        if known and self.section.get(key) is None and bundle.recipe.remembers_as(before.recipe):
            self.section.set(key, bundle.recipe.fingerprint + known[_FINGERPRINT_BYTES:])

    def settle(self, bundle: Bundle, window: Window, observed: Observation, *, is_normal: bool | None, shadow: bool = False) -> None:
        """Decides whether this window is learned from. `is_normal`: None where the model gave no answer."""
        key = _key(window, bundle, shadow=shadow)
        self.section.set(key, settle(bundle.recipe, observed.before, self.section.get(key) or b"", is_normal=is_normal))

    def forget(self, devices: Collection[str]) -> None:
        """Forgets these devices."""
        self.section.forget(devices)

    def keep_only(self, model: str, kept: Container[tuple[bytes, bool]]) -> None:
        """Forgets what a model remembers for recipes that nobody runs any more. `kept`: (fingerprint, whether in the shadow)."""
        for key in list(self.section.items()):
            found = _OF_A_RECIPE.search(key)
            if found and model_of(key) == model and (bytes.fromhex(found[1]), found[2] is not None) not in kept:
                self.section.set(key, None)

    def _adopt(self, key: str) -> None:
        """Takes over what earlier releases kept by device and model alone: it begins with the fingerprint of its recipe."""
        memory = self.section.get(key) or b""
        self.section.set(key, None)
        if len(memory) > _FINGERPRINT_BYTES:
            self.section.set(f"{key}/{memory[:_FINGERPRINT_BYTES].hex()}", memory)


def model_of(key: str) -> str:
    """Returns the model of a key of the section, whose device stands before the first slash."""
    return _OF_A_RECIPE.sub("", key).partition("/")[2]


def _key(window: Window, bundle: Bundle, *, shadow: bool) -> str:
    return f"{window.device_id}/{bundle.name}/{bundle.recipe.fingerprint.hex()}{_SHADOW if shadow else ''}"


def _band_means(spectrum: Spectrum, window: Window) -> dict[str, float]:
    """Returns the mean of each band's log10 energy over the window. Energies of another recipe, as of an earlier model, are left out."""
    bands = [bands for reading in window.readings() for bands in reading.all_bands if bands.spectrum == spectrum.fingerprint]
    by_band = zip(*(each.energies for each in bands), strict=True)
    return {name: fsum(energies) / len(bands) for name, energies in zip(spectrum.names, by_band, strict=False)}
