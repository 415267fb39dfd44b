"""Turns closed windows into inferences: features by the bundle's recipe, then the scorer.

A model that fails costs inferences, nothing else.

The memory of the features belongs to the windows it came from: the section `features` must be committed by the cut that closes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from edge.models.bundle import Bundle
from edge.models.features import advance
from edge.models.scorer import Score, Scorer, ScorerFailed
from edge.spectrum import Spectrum
from edge.store.section import Sections
from edge.summaries.summarise import channel_means, time_quality
from edge.windows import Window
from program import logs
from schemas.envelope import from_micros
from schemas.records import Inference

_log = logs.get(__name__)


class ModelRunner:
    """Runs the models of a gateway. `failed` counts windows that got no inference.

    Usage: `infer(bundle, windows)`, then commit the section `features` with the cut.
    """

    def __init__(self, scorer: Scorer, section: Sections) -> None:
        self._scorer = scorer
        self.features = section("features")
        self.failed = 0

    @property
    def runtime(self) -> str:
        return self._scorer.runtime

    def infer(self, bundle: Bundle, windows: Sequence[Window]) -> list[tuple[Inference, Window]]:
        """Returns the inferences of windows, oldest first and none of them late, each with its window. All are one message to the child.

        Whatever fails, it is these inferences that are missing, and nothing else.
        """
        try:
            return self._inferred(bundle, windows)
        except Exception:  # noqa: BLE001 - logged and counted
            _log.exception("no inference for %d windows", len(windows))
            self.failed += len(windows)
            return []

    def _inferred(self, bundle: Bundle, windows: Sequence[Window]) -> list[tuple[Inference, Window]]:
        ready = [(window, features) for window in windows if (features := self._features(bundle, window)) is not None]
        try:
            scores = self._scorer.score(bundle.name, [features for _, features in ready])
        except ScorerFailed as failure:
            _log.warning("no inference for %d windows: %s", len(ready), failure)
            self.failed += len(ready)
            return []
        scored = zip(ready, scores, strict=True)
        return [(_inference(bundle, self.runtime, window, features, score), window) for (window, features), score in scored]

    def _features(self, bundle: Bundle, window: Window) -> tuple[float, ...] | None:
        key = f"{window.device_id}/{bundle.name}"
        means = channel_means(window)
        if spectrum := bundle.recipe.spectrum:
            means |= _band_means(spectrum, window)
        memory, features = advance(bundle.recipe, self.features.get(key), from_micros(window.start_us), window.seconds, means)
        self.features.set(key, memory)
        return features


def _band_means(spectrum: Spectrum, window: Window) -> dict[str, float]:
    """Returns the mean of each band's log10 energy over the window. Energies of another recipe, as of an earlier model, are left out."""
    bands = [reading.bands for reading in window.readings() if reading.bands and reading.bands.spectrum == spectrum.fingerprint]
    by_band = zip(*(each.energies for each in bands), strict=True)
    return {name: fsum(energies) / len(bands) for name, energies in zip(spectrum.names, by_band, strict=False)}


def _inference(bundle: Bundle, runtime: str, window: Window, features: tuple[float, ...], score: Score) -> Inference:
    return Inference(
        device_id=window.device_id,
        window_start=from_micros(window.start_us),
        window_seconds=window.seconds,
        model=bundle.name,
        model_version=bundle.version,
        model_sha256=bundle.sha256,
        runtime=runtime,
        label=score.label,
        score=score.score,
        uncertainty=score.uncertainty,
        features=features,
        time_quality=time_quality(window.readings()),
    )
