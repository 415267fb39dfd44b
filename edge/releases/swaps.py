"""Swaps models between two windows: puts ready ones in force, ends their trials, and takes those back that fail.

Guarantees that a swap costs no window and no restart: windows that have begun are judged by the model that they began with, and until the
new one is proved the one before stands by. What runs is on disk before it runs, so a gateway that dies has the old or the new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from edge.models.slot import LoadedModel, Slot
from edge.releases.folder import Offer, State
from edge.releases.loading import Place, refuse
from edge.releases.updates import Candidate, ModelUpdates
from program import logs

TRIAL_SECONDS = 3600.0
"""So long a model must judge, with the one before not needed, until that is let go."""

_log = logs.get(__name__)

ModelsChanged = Callable[[Mapping[str, Mapping[int, str]]], None]


class Swaps:
    """Is driven by the loop, `swaps.turn(now_us, monotonic)`; tells `changed` of the releases that are refused, after each change."""

    def __init__(
        self, slots: Mapping[str, Slot], places: Sequence[Place], updates: ModelUpdates, window_seconds: int, changed: ModelsChanged
    ) -> None:
        self._slots, self._updates, self._changed = slots, updates, changed
        self._places = {place.name: place for place in places}
        self._window_us = window_seconds * 1_000_000
        self._proved_from = dict[str, float]()
        self._taken_back = set[tuple[str, int]]()
        self._trial_seconds = max(TRIAL_SECONDS, 3.0 * window_seconds)
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
        for candidate in self._updates.take():
            self._swap(candidate, self._slots[candidate.place.name], now_us)

    def _swap(self, candidate: Candidate, slot: Slot, now_us: int) -> None:
        place, model = candidate.place, candidate.model
        if model and not candidate.shadow and candidate.release == slot.in_force.bundle.release:
            _close(model)
        elif candidate.shadow or model is None:
            _close(slot.set_shadow(model))
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

    def _take_back(self, place: Place, slot: Slot, reason: str) -> None:
        """Refuses what failed. The model before it stands by, or is made ready."""
        failed = slot.in_force.bundle.release
        if failed is None or (place.name, failed) in self._taken_back:
            return
        self._taken_back.add((place.name, failed))
        before = slot.standby.bundle.release if slot.standby else place.folder.state.previous
        refuse(place.folder, failed, f"the gateway has fallen back from it: {reason}")
        self._keep(place, State(running=None if before in place.folder.refused() else before))
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
                place.folder.prune((state.running, state.previous, offer.release, offer.shadow))
            self._tell()

    def _end_shadow(self, place: Place, slot: Slot, reason: str) -> None:
        model = slot.set_shadow(None)
        if model and model.bundle.release is not None:
            refuse(place.folder, model.bundle.release, f"it failed in the shadow: {reason}")
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
        self._changed({place.folder.model: place.folder.refused() for place in self._places.values()})


def _named(model: LoadedModel) -> str:
    bundle = model.bundle
    return f"version {bundle.version}, " + ("as the configuration names it" if bundle.release is None else f"release {bundle.release}")


def _close(*models: LoadedModel | None) -> None:
    for model in models:
        if model:
            model.close()
