"""Swaps models between two windows: puts ready ones in force, ends their trials, and takes those back that fail.

Guarantees that a swap costs no window and no restart: windows that have begun are judged by the model that they began with, and until the
new one is proved the one before stands by. What runs is on disk before it runs, so a gateway that dies has the old or the new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from edge.models.running import Withheld
from edge.models.scorer import ScorerFailed
from edge.models.slot import LoadedModel, Slot
from edge.releases.choice import Offer, State, proved
from edge.releases.loading import Place, set_aside
from edge.releases.updates import LOOK_SECONDS, Candidate, ModelUpdates
from program import logs

TRIAL_SECONDS = 3600.0
"""So long a model must judge, with the one before not needed, until that is let go."""

_log = logs.get(__name__)

ModelsChanged = Callable[[Withheld], None]


class Swaps:
    """Is driven by the loop, `swaps.turn(now_us, monotonic)`; tells `changed` after each change of what runs, and of what does not."""

    def __init__(
        self, slots: Mapping[str, Slot], places: Sequence[Place], updates: ModelUpdates, window_seconds: int, changed: ModelsChanged
    ) -> None:
        self._slots, self._updates, self._changed = slots, updates, changed
        self._places = {place.name: place for place in places}
        self._window_us = window_seconds * 1_000_000
        self._proved_from, self._shadow_from = dict[str, float](), dict[str, float]()
        self._taken_back = dict[str, LoadedModel]()
        self._trial_seconds = max(TRIAL_SECONDS, 3.0 * window_seconds)
        self._next_look = 0.0
        self._tell()

    def turn(self, now_us: int, monotonic: float) -> None:
        """Does what is due. To be called between two closings of windows."""
        for name, slot in self._slots.items():
            if slot.fault:
                self._take_back(self._places[name], slot, slot.fault)
            if slot.shadow_fault and slot.shadow:
                self._end_shadow(self._places[name], slot, slot.shadow_fault)
            if slot.standby:
                self._end_trial_if_due(name, slot, monotonic)
            if slot.shadow:
                self._prove_shadow_if_due(name, slot.shadow, monotonic)
        for candidate in self._updates.take():
            self._swap(candidate, self._slots[candidate.place.name], now_us)
        if monotonic >= self._next_look:  # who fetches may have set something aside
            self._next_look = monotonic + LOOK_SECONDS
            if self._withheld() != self._told:
                self._tell()

    def _swap(self, candidate: Candidate, slot: Slot, now_us: int) -> None:
        place, model = candidate.place, candidate.model
        if model and not candidate.shadow and candidate.release == slot.in_force.bundle.release:
            _close(model)
        elif candidate.shadow or model is None:
            _close(slot.set_shadow(model))
            self._shadow_from.pop(place.name, None)
            self._updates.note(place.name, candidate.release, shadow=True)
        elif self._put_in_force(place, slot, model, now_us):
            _log.info("%s: %s runs from the next window on", place.folder.model, _named(model))
        self._tell()

    def _put_in_force(self, place: Place, slot: Slot, model: LoadedModel, now_us: int) -> bool:
        """Says whether it runs now. Without room on the disk it does not: it would be forgotten, and tried for the first time again."""
        has_failed = slot.fault is not None
        from_us = 0 if has_failed else -(-now_us // self._window_us) * self._window_us
        state = State(running=model.bundle.release, previous=slot.in_force.bundle.release, from_us=from_us, on_trial=not has_failed)
        if not self._keep(place, State(running=model.bundle.release) if has_failed else state):
            _close(model)
            self._updates.note(place.name, slot.in_force.bundle.release)
            return False
        _close(*slot.put_in_force(model, from_us))
        self._proved_from.pop(place.name, None)
        self._updates.note(place.name, model.bundle.release)
        return True

    def _take_back(self, place: Place, slot: Slot, fault: ScorerFailed) -> None:
        """Sets aside what failed. The model before it stands by, or is made ready."""
        failed = slot.in_force.bundle.release
        if failed is None or self._taken_back.get(place.name) is slot.in_force:
            return
        self._taken_back[place.name] = slot.in_force
        set_aside(place.folder, failed, fault, "the gateway has fallen back from it")
        may_run = (number for number in proved(place.folder.state, place.folder.offer) if number != failed and place.folder.may_try(number))
        self._keep(place, State(running=next(may_run, None)))
        if leaving := slot.fall_back():
            _close(leaving)
            self._updates.note(place.name, slot.in_force.bundle.release)
        self._tell()

    def _end_trial_if_due(self, name: str, slot: Slot, monotonic: float) -> None:
        since = self._proved_from.setdefault(name, monotonic)
        if slot.standby_judged or not slot.judged:
            slot.standby_judged = False
            self._proved_from[name] = monotonic
        elif monotonic - since >= self._trial_seconds:
            place, state = self._places[name], self._places[name].folder.state
            self._keep(place, State(running=state.running, previous=state.previous))
            _close(slot.end_trial())
            offer = place.folder.offer or Offer()
            with suppress(OSError):  # what stays costs room, and goes another time
                place.folder.prune((state.running, state.previous, offer.release, offer.shadow, offer.instead))
                if state.running is not None:
                    place.folder.end_postponement(state.running)
            self._tell()

    def _prove_shadow_if_due(self, name: str, shadow: LoadedModel, monotonic: float) -> None:
        """Forgets that it was late once it has gone on for as long as a trial lasts."""
        if monotonic - self._shadow_from.setdefault(name, monotonic) >= self._trial_seconds:
            self._shadow_from[name] = monotonic
            if shadow.bundle.release is not None:
                with suppress(OSError):  # what is not forgotten now is forgotten later
                    self._places[name].folder.end_postponement(shadow.bundle.release)

    def _end_shadow(self, place: Place, slot: Slot, fault: ScorerFailed) -> None:
        model = slot.set_shadow(None)
        if model and model.bundle.release is not None:
            set_aside(place.folder, model.bundle.release, fault, "it failed in the shadow")
            self._updates.note(place.name, None, shadow=True)
        _close(model)
        self._tell()

    def _keep(self, place: Place, state: State) -> bool:
        try:
            place.folder.write_state(state)
        except OSError as fault:
            _log.error("which release of %s runs cannot be noted: %s", place.folder.model, fault)
            return False
        return True

    def _tell(self) -> None:
        self._told = self._withheld()
        self._changed(self._told)

    def _withheld(self) -> Withheld:
        folders = [place.folder for place in self._places.values()]
        return Withheld({each.model: each.refused() for each in folders}, {each.model: each.waiting() for each in folders})


def _named(model: LoadedModel) -> str:
    bundle = model.bundle
    return f"version {bundle.version}, " + ("as the configuration names it" if bundle.release is None else f"release {bundle.release}")


def _close(*models: LoadedModel | None) -> None:
    for model in models:
        if model:
            model.close()
