"""Turns closed windows into inferences: features by the bundle's recipe, then the scorer.

A model that fails costs inferences, nothing else; while it is on trial not even these, for the model before judges instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from time import monotonic
from typing import NamedTuple

from edge.models.bundle import Bundle
from edge.models.memory import FeatureMemory, Observation
from edge.models.not_judged import NotJudged
from edge.models.scorer import Score, ScorerFailed
from edge.models.slot import LoadedModel, Slot
from edge.store.section import Sections
from edge.summaries.summarise import time_quality
from edge.window import Window
from program import logs
from schemas.envelope import from_micros
from schemas.records import Inference

_log = logs.get(__name__)


class Verdict(NamedTuple):
    """Holds what is said of a window, by the model of which bundle, and what one in its shadow says of it."""

    said: Inference | NotJudged
    window: Window
    bundle: Bundle
    shadow: Inference | None = None


_Observed = Mapping[LoadedModel, Observation]


class ModelRunner:
    """Runs the models of a gateway. `failed` counts windows that got no inference.

    Usage: `infer(slot, windows)`, then commit the sections with the cut.
    """

    def __init__(self, section: Sections, clock: Callable[[], float] = monotonic) -> None:
        """`clock` returns seconds: how long models take is measured by it."""
        self._clock = clock
        self.memory = FeatureMemory(section)
        self.sections = (self.memory.section,)
        self.failed = 0

    def forget(self, devices: Collection[str]) -> None:
        """Forgets the features of these devices."""
        self.memory.forget(devices)

    def forget_others(self, slots: Iterable[Slot]) -> None:
        """Forgets what is remembered for recipes that nobody runs any more, of models that none is on trial of."""
        for slot in slots:
            if not slot.standby:
                kept = {(slot.in_force.recipe, False), *([(slot.shadow.recipe, True)] if slot.shadow else [])}
                self.memory.keep_only(slot.in_force.bundle.name, kept)

    def infer(self, slot: Slot, windows: Sequence[Window]) -> list[Verdict]:
        """Returns what is said of windows, oldest first and none of them late. All are one message to the child, unless what is said of a
        window decides what is learned before the next one of its device.

        Whatever fails, it is these inferences that are missing, and nothing else.
        """
        verdicts = list[Verdict]()
        for together in _rounds(windows) if any(model.bundle.recipe.sustained_hours for model in slot.loaded) else [windows]:
            try:
                verdicts += self._inferred(slot, together)
            except Exception:  # noqa: BLE001 - logged and counted
                _log.exception("no inference for %d windows", len(together))
                self.failed += len(together)
        return verdicts

    def _inferred(self, slot: Slot, windows: Sequence[Window]) -> list[Verdict]:
        observed = [self._observed(slot, window) for window in windows]
        judges = [_able(slot, window, each) for window, each in zip(windows, observed, strict=True)]
        judged = self._judged(slot, windows, observed, judges)
        shadows = self._shadowed(slot, windows)
        verdicts = list[Verdict]()
        for number, window in enumerate(windows):
            first = judges[number][0] if judges[number] else None
            if first and (unjudged := observed[number][first].unjudged):
                verdicts.append(Verdict(unjudged, window, first.bundle))
                continue
            self._settle(window, observed[number], judged.get(number))
            if number in judged:
                model, inference = judged[number]
                verdicts.append(Verdict(inference, window, model.bundle, shadows.get(number)))
        return verdicts

    def _observed(self, slot: Slot, window: Window) -> _Observed:
        """Takes a window into the memory of each recipe once, whoever judges it: so each is ready when its model is asked."""
        if slot.standby:
            self.memory.inherit(slot.in_force.bundle, slot.standby.bundle, window)
        by_recipe: dict[bytes, Observation] = {}
        for model in slot.deciding:
            if model.recipe not in by_recipe:
                by_recipe[model.recipe] = self.memory.observe(model.bundle, window)
        return {model: by_recipe[model.recipe] for model in slot.deciding}

    def _judged(
        self, slot: Slot, windows: Sequence[Window], observed: Sequence[_Observed], judges: Sequence[Sequence[LoadedModel]]
    ) -> dict[int, tuple[LoadedModel, Inference]]:
        """Returns by number of the window who judged it, and what that says. Where one fails, the next is asked."""
        judged: dict[int, tuple[LoadedModel, Inference]] = {}
        waiting = {
            number: [model for model in able if observed[number][model].features is not None]
            for number, able in enumerate(judges)
            if able and not observed[number][able[0]].unjudged
        }
        while waiting:
            model = next(iter(waiting.values()))[0]
            numbers = [number for number, able in waiting.items() if able[0] is model]
            features = {number: observed[number][model].features or () for number in numbers}
            began = self._clock()
            try:
                scores = model.scorer.score(model.bundle.name, list(features.values()))
            except ScorerFailed as failure:
                _log.warning("%s gives no inference for %d windows: %s", model.bundle.version, len(numbers), failure)
                slot.note_failure(model, failure)
                self.failed += sum(len(waiting[number]) == 1 for number in numbers)
                left = {number: able[1:] if able[0] is model else able for number, able in waiting.items()}
                waiting = {number: able for number, able in left.items() if able}
                continue
            slot.note_verdicts(model, len(numbers), self._clock() - began)
            for number, score in zip(numbers, scores, strict=True):
                judged[number] = model, _inference(model, windows[number], features[number], score)
                del waiting[number]
        return judged

    def _settle(self, window: Window, observed: _Observed, judged: tuple[LoadedModel, Inference] | None) -> None:
        """Decides for each recipe whether this window is learned from."""
        is_normal = judged[1].label == judged[0].bundle.normal_label if judged else None
        for model in {model.recipe: model for model in observed if observed[model].features is not None}.values():
            if model.bundle.recipe.sustained_hours:
                self.memory.settle(model.bundle, window, observed[model], is_normal=is_normal)

    def _shadowed(self, slot: Slot, windows: Sequence[Window]) -> dict[int, Inference]:
        """Returns what the model in the shadow says. One that fails says nothing more, and nobody waits for it."""
        model = slot.shadow
        if model is None or slot.shadow_fault:
            return {}
        observed = {number: self.memory.observe(model.bundle, window, shadow=True) for number, window in enumerate(windows)}
        features = {number: each.features for number, each in observed.items() if each.features is not None}
        try:
            scores = model.scorer.score(model.bundle.name, list(features.values()))
        except ScorerFailed as failure:
            _log.warning("%s in the shadow says nothing more: %s", model.bundle.version, failure)
            slot.shadow_fault = failure
            return {}
        said = {
            number: _inference(model, windows[number], row, score, shadow=True)
            for (number, row), score in zip(features.items(), scores, strict=True)
        }
        for number, inference in said.items() if model.bundle.recipe.sustained_hours else ():
            is_normal = inference.label == model.bundle.normal_label
            self.memory.settle(model.bundle, windows[number], observed[number], is_normal=is_normal, shadow=True)
        return said


def _able(slot: Slot, window: Window, observed: _Observed) -> list[LoadedModel]:
    """Returns who can judge a window or say why nobody does, in order: those whose history is long enough."""
    return [model for model in slot.judges(window.start_us) if observed[model].features is not None or observed[model].unjudged]


def _rounds(windows: Sequence[Window]) -> list[list[Window]]:
    """Returns the first window of each device, then the second of those that have one, and so on."""
    rounds, seen = list[list[Window]](), Counter[str]()
    for window in windows:
        if seen[window.device_id] == len(rounds):
            rounds.append([])
        rounds[seen[window.device_id]].append(window)
        seen[window.device_id] += 1
    return rounds


def _inference(model: LoadedModel, window: Window, features: tuple[float, ...], score: Score, *, shadow: bool = False) -> Inference:
    bundle = model.bundle
    return Inference(
        device_id=window.device_id,
        window_start=from_micros(window.start_us),
        window_seconds=window.seconds,
        model=bundle.name,
        model_version=bundle.version,
        model_sha256=bundle.sha256,
        runtime=model.scorer.runtime,
        label=score.label,
        score=score.score,
        uncertainty=score.uncertainty,
        features=features,
        time_quality=time_quality(window.readings()),
        model_release=bundle.release,
        shadow=True if shadow else None,
    )
