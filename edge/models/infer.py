"""Turns closed windows into inferences: features by the bundle's recipe, then the scorer.

A model that fails costs inferences, nothing else.

The memory of the features belongs to the windows it came from: the section `features` must be committed by the cut that closes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import fsum

from edge.models.bundle import Bundle
from edge.models.features import advance, not_judged, settle
from edge.models.not_judged import NotJudged
from edge.models.scorer import Score, Scorer, ScorerFailed
from edge.spectrum import Spectrum
from edge.store.section import Sections
from edge.summaries.summarise import channel_means, time_quality
from edge.window import Window
from program import logs
from schemas.envelope import from_micros
from schemas.records import Inference

_log = logs.get(__name__)


Verdict = tuple[Inference | NotJudged, Window]


class ModelRunner:
    """Runs the models of a gateway. `failed` counts windows that got no inference.

    Usage: `infer(bundle, windows)`, then commit the section `features` with the cut.
    """

    def __init__(self, scorer: Scorer, section: Sections) -> None:
        self._scorer = scorer
        self.features = section("features")
        self.sections = (self.features,)
        self.failed = 0

    @property
    def runtime(self) -> str:
        return self._scorer.runtime

    def forget(self, devices: Collection[str]) -> None:
        """Forgets the features of these devices."""
        self.features.forget(devices)

    def infer(self, bundle: Bundle, windows: Sequence[Window]) -> list[Verdict]:
        """Returns what is said of windows, oldest first and none of them late. All are one message to the child, unless what is said of a
        window decides what is learned before the next one of its device.

        Whatever fails, it is these inferences that are missing, and nothing else.
        """
        verdicts = list[Verdict]()
        for together in _rounds(windows) if bundle.recipe.sustained_hours else [windows]:
            try:
                verdicts += self._inferred(bundle, together)
            except Exception:  # noqa: BLE001 - logged and counted
                _log.exception("no inference for %d windows", len(together))
                self.failed += len(together)
        return verdicts

    def _inferred(self, bundle: Bundle, windows: Sequence[Window]) -> list[Verdict]:
        observed = [self._observed(bundle, window) for window in windows]
        ready = [features for _, features, _ in observed if features is not None]
        try:
            scores = iter(self._scorer.score(bundle.name, ready))
        except ScorerFailed as failure:
            _log.warning("no inference for %d windows: %s", len(ready), failure)
            self.failed += len(ready)
            scores = None
        verdicts = list[Verdict]()
        for window, (before, features, unjudged) in zip(windows, observed, strict=True):
            if unjudged:
                verdicts.append((unjudged, window))
            elif features is not None:
                inference = _inference(bundle, self.runtime, window, features, next(scores)) if scores else None
                if bundle.recipe.sustained_hours:
                    self._settle(bundle, window, before, inference)
                verdicts += [(inference, window)] if inference else []
        return verdicts

    def _observed(self, bundle: Bundle, window: Window) -> tuple[bytes | None, tuple[float, ...] | None, NotJudged | None]:
        """Returns the memory before this window, the features, and where there are none what the machine is instead, if that is known."""
        key = _key(window, bundle)
        means = {**channel_means(window), **window.inputs, **bundle.constants.of(window.device_id)}
        if spectrum := bundle.recipe.spectrum:
            means |= _band_means(spectrum, window)
        before, start = self.features.get(key), from_micros(window.start_us)
        memory, features = advance(bundle.recipe, before, start, window.seconds, means)
        self.features.set(key, memory)
        return before, features, None if features else not_judged(bundle.recipe, before, start, window.seconds, means)

    def _settle(self, bundle: Bundle, window: Window, before: bytes | None, inference: Inference | None) -> None:
        """Decides whether this window is learned from."""
        key, is_normal = _key(window, bundle), inference.label == bundle.normal_label if inference else None
        self.features.set(key, settle(bundle.recipe, before, self.features.get(key) or b"", is_normal=is_normal))


def _key(window: Window, bundle: Bundle) -> str:
    return f"{window.device_id}/{bundle.name}"


def _rounds(windows: Sequence[Window]) -> list[list[Window]]:
    """Returns the first window of each device, then the second of those that have one, and so on."""
    rounds, seen = list[list[Window]](), Counter[str]()
    for window in windows:
        if seen[window.device_id] == len(rounds):
            rounds.append([])
        rounds[seen[window.device_id]].append(window)
        seen[window.device_id] += 1
    return rounds


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
