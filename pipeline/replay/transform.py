"""Runs replays on the engine: once in a batch run, and in a streaming run at its start and whenever the registry has changed.

At least once: a row that is a fact is not replayed, and one that was replayed a moment ago and is not yet seen as a fact is remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    ReadModifyWriteRuntimeState,
    ReadModifyWriteStateSpec,
    RuntimeTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from pipeline.elements import Clock, DecodedBatch, DecodedBatches
from pipeline.enrich import Sites
from pipeline.replay.elements import Identity, Left, RejectStore, Replayed, Selection
from pipeline.replay.recover import UNKNOWN_DEVICE, Fix, identities_of, recovered, without
from pipeline.state import StateFormat
from program import logs
from schemas.envelope import micros
from schemas.registry import OfRegistry, Registry, RegistrySource

REACH = timedelta(days=30)
"""How far back a running pipeline looks; `tinybeam rejects replay --since` looks further."""

SELDOM = timedelta(seconds=10)
"""It wakes no more often: DirectRunner pulls no message while a timer of any step is due."""

LOOKS = 3
"""So many times it looks after a change: other workers learn of it a little later, and what they set aside takes a while to be stored."""


class LookState(NamedTuple):
    """Says of which registry it has looked, how many looks are due, and what was replayed since the registry changed."""

    registry: str = ""
    looks_due: int = 0
    replayed: tuple[Identity, ...] = ()


LOOKED = StateFormat("replay_look", 1, LookState)

_LOG = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Replays:
    """Says where rejects are read, how far back, and how often it is seen whether the registry has changed."""

    store: RejectStore
    reach: timedelta
    every: timedelta = timedelta(minutes=1)

    def found(self, sites: Sites, now: datetime) -> Iterator[Replayed]:
        selection = Selection(first=now - self.reach, reasons=(UNKNOWN_DEVICE,))
        return (each for each in recovered(self.store, selection, sites, now) if isinstance(each, Replayed))


class ReplayNow(beam.PTransform):
    """Replays once what is meant: `replayed = pipeline | ReplayNow(store, selection, registry, clock, fix)`."""

    def __init__(self, store: RejectStore, selection: Selection, registry: RegistrySource, clock: Clock, fix: Fix | None = None) -> None:
        super().__init__()
        self._arguments = store, selection, OfRegistry(registry, Sites), clock, fix

    def expand(self, root: PBegin) -> PCollection[Replayed]:
        return root | beam.Impulse() | "Find" >> beam.FlatMap(_find, *self._arguments).with_output_types(Replayed)


class ReplayOnChange(beam.PTransform):
    """Replays at the start and after each change of the registry, for as long as the pipeline runs."""

    def __init__(self, replays: Replays, registry: RegistrySource, clock: Clock) -> None:
        super().__init__()
        self._look = _Look(replays, registry, clock)

    def expand(self, root: PBegin) -> PCollection[Replayed]:
        one = root | beam.Impulse() | "One key" >> beam.Map(_keyed).with_output_types(tuple[str, bytes])
        return one | "Look" >> beam.ParDo(self._look).with_output_types(Replayed)


class _Look(beam.DoFn):
    """Looks by a timer of one key, so that of all workers one does."""

    _STATE = ReadModifyWriteStateSpec("look", BytesCoder())
    _WAKE = TimerSpec("wake", TimeDomain.REAL_TIME)

    def __init__(self, replays: Replays, registry: RegistrySource, clock: Clock) -> None:
        self._replays, self._clock = replays, clock
        self._sites, self._name = OfRegistry(registry, Sites), OfRegistry(registry, placements_name)

    def process(
        self,
        keyed: tuple[str, bytes],
        timer: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
    ) -> None:
        self._wake(timer)

    @on_timer(_WAKE)
    def on_wake(
        self,
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
    ) -> Iterator[Replayed]:
        self._wake(timer)
        state = due(LOOKED.unpack(stored.read()) or LookState(), self._name.current())
        if not state.looks_due:
            return
        found = self._found(state)
        if found is not None:
            stored.write(LOOKED.pack(after(state, found)))
            _say(sum(rows_of(each.new) for each in found))
            yield from found

    def _found(self, state: LookState) -> list[Replayed] | None:
        """Returns what is to be replayed; None if that cannot be known now: the look stays due."""
        replayed = frozenset(state.replayed)
        try:
            found = list(self._replays.found(self._sites.current(), self._clock()))
        except Exception as error:  # noqa: BLE001 - an outage of whatever kind
            _LOG.warning("rejects of unknown devices cannot be read now: %s: %s", type(error).__name__, error)
            return None
        return [rest for each in found if (rest := _without(each, replayed))]

    def _wake(self, timer: RuntimeTimer) -> None:
        timer.set(Timestamp(micros=micros(self._clock() + self._replays.every)))


def due(state: LookState, registry: str) -> LookState:
    """Returns the state with the looks that a change of the registry makes due."""
    return state if state.registry == registry else LookState(registry, LOOKS)


def after(state: LookState, found: list[Replayed]) -> LookState:
    """Returns the state after a look. What was replayed is remembered until the last look that is due."""
    left = state.looks_due - 1
    new = (identity for each in found for batch in (each.new, each.again) if batch for identity in identities_of(batch))
    return state._replace(looks_due=left, replayed=(*state.replayed, *new) if left else ())


def placements_name(registry: Registry) -> str:
    """Returns a name for where all devices stand, the same on every worker."""
    return hashlib.sha256(repr(sorted(map(repr, registry.devices))).encode()).hexdigest()


def rows_of(batch: DecodedBatch | None) -> int:
    return batch.rows.num_rows if batch else 0


def new_rows(replayed: Replayed) -> Iterator[DecodedBatches]:
    """Yields the rows that become facts."""
    if replayed.new:
        yield DecodedBatches.of(replayed.new)


def again_rows(replayed: Replayed) -> Iterator[DecodedBatches]:
    """Yields the rows that are facts already; what is derived of them may be missing, if a replay was killed in between."""
    if replayed.again:
        yield DecodedBatches.of(replayed.again)


def first_batches(replayed: Replayed) -> Iterator[DecodedBatches]:
    """Yields the batch of a message that was not understood, if it has no row of its own yet."""
    batch = replayed.new or replayed.again
    if replayed.first_of_batch and batch:
        yield DecodedBatches.of(batch)


def _without(replayed: Replayed, identities: frozenset[Identity]) -> Replayed | None:
    new, again = (without(batch, identities) if batch else None for batch in (replayed.new, replayed.again))
    return replace(replayed, new=new, again=again) if new or again else None


def _find(_: Any, store: RejectStore, selection: Selection, sites: OfRegistry[Sites], clock: Clock, fix: Fix | None) -> Iterator[Replayed]:
    for each in recovered(store, selection, sites.current(), clock(), fix):
        if not isinstance(each, Left):
            yield each


def _say(rows: int) -> None:
    if rows:
        _LOG.info("%d rows of devices that the registry knows by now come in", rows)


def _keyed(impulse: bytes) -> tuple[str, bytes]:
    return "rejects", impulse
