"""Holds the models of one entry of [[models]]: the one in force, the one before it while that is on trial, and one in its shadow. Pure.

Guarantees that each window is judged by one of them: windows that begin before a model came into force are of the one before it, and so
are those that it cannot judge yet, or fails at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from edge.models.bundle import Bundle
from edge.models.scorer import Scorer, ScorerFailed
from edge.models.scoring_time import ScoringTime
from edge.spectrum import Spectrum
from edge.units import Range

FAILURES_IN_A_ROW = 3
"""So many failures of a release that is no longer on trial send it back: one may be the machine's."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """Holds a bundle, what runs it, and how that ends, where it is this model's alone."""

    bundle: Bundle
    scorer: Scorer
    close: Callable[[], None] = lambda: None

    @property
    def recipe(self) -> bytes:
        """Returns what tells its recipe from others."""
        return self.bundle.recipe.fingerprint


@dataclass(slots=True)
class Slot:
    """Is changed by who swaps models, between two closings of windows; `fault` and the counts are set by who runs them."""

    in_force: LoadedModel
    standby: LoadedModel | None = None
    """The model before, as long as the one in force is on trial."""
    from_us: int = 0
    """Windows that begin from here on are of the model in force."""
    shadow: LoadedModel | None = None
    fault: ScorerFailed | None = None
    """Why the model in force must not go on, once it must not."""
    shadow_fault: ScorerFailed | None = None
    failures: int = 0
    """How often the model in force has failed in a row."""
    judged: int = 0
    """How many windows the model in force has judged since it came."""
    standby_judged: bool = False
    """Whether the one before was needed since somebody last looked."""
    scoring: ScoringTime = field(default_factory=ScoringTime)
    """How long the model in force took since the last heartbeat."""

    @property
    def deciding(self) -> Iterator[LoadedModel]:
        """Yields those whose verdicts count, the one in force first."""
        yield self.in_force
        if self.standby:
            yield self.standby

    @property
    def loaded(self) -> list[LoadedModel]:
        return [*self.deciding, *([self.shadow] if self.shadow else [])]

    def judges(self, start_us: int) -> list[LoadedModel]:
        """Returns who may judge a window that begins then, the first of them who can."""
        if self.standby and (self.fault or start_us < self.from_us):
            return [self.standby]
        return list(self.deciding)

    def note_verdicts(self, model: LoadedModel, count: int, seconds: float) -> None:
        """Notes a call that judged so many windows, and how long it took."""
        if model is self.in_force:
            self.failures, self.judged = 0, self.judged + count
            self.scoring.note(count, seconds)
        else:
            self.standby_judged = True

    def note_failure(self, model: LoadedModel, failure: ScorerFailed) -> None:
        """On trial one failure of a release is enough: the model before it is there, so that no window waits.

        What the configuration names is started again for ever: there is nothing before it.
        """
        if model is self.in_force and model.bundle.release is not None:
            self.failures += 1
            if self.standby or self.failures >= FAILURES_IN_A_ROW:
                self.fault = failure

    def put_in_force(self, model: LoadedModel, from_us: int) -> list[LoadedModel]:
        """Puts another in force, on trial beside the one before. Returns what is needed no more."""
        leaving = [self.standby] if self.standby else []
        if self.fault:
            leaving.append(self.in_force)
        self.standby = None if self.fault else self.in_force
        self.in_force, self.from_us = model, from_us
        self.fault, self.failures, self.judged, self.standby_judged = None, 0, 0, False
        self.scoring.clear()
        return leaving

    def fall_back(self) -> LoadedModel | None:
        """Puts the model before in force again, where it is still there. Returns the one that was in force, None if nothing changed."""
        if self.standby is None:
            return None
        leaving, self.in_force, self.standby = self.in_force, self.standby, None
        self.fault, self.failures, self.from_us = None, 0, 0
        self.scoring.clear()
        return leaving

    def end_trial(self) -> LoadedModel | None:
        """Lets the model before go. Returns it."""
        leaving, self.standby = self.standby, None
        return leaving

    def set_shadow(self, model: LoadedModel | None) -> LoadedModel | None:
        """Returns the one that was in the shadow."""
        leaving, self.shadow, self.shadow_fault = self.shadow, model, None
        return leaving

    def spectra(self) -> list[Spectrum]:
        """Returns what is asked of frames, each once."""
        return list(dict.fromkeys(spectrum for model in self.loaded if (spectrum := model.bundle.recipe.spectrum)))

    def ranges(self) -> Mapping[str, Range]:
        """Returns what each channel can be, as the model in force says it."""
        return self.in_force.bundle.ranges
