"""Runs replays on the engine: once in a batch run, and in a streaming run at its start and whenever the registry has changed.

At least once: a row that is a fact is not replayed, and one that was replayed a moment ago and is not yet seen as a fact is remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
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

from pipeline.elements import Clock, DecodedBatch
from pipeline.enrich import Sites
from pipeline.replay.known_devices import Identity, RejectStore, known_by_now, without
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

    def found(self, sites: Sites, now: datetime) -> Iterator[DecodedBatch]:
        return known_by_now(self.store, sites, now - self.reach)


class ReplayNow(beam.PTransform):
    """Replays once: `batches = pipeline | ReplayNow(replays, registry, clock)`."""

    def __init__(self, replays: Replays, registry: RegistrySource, clock: Clock) -> None:
        super().__init__()
        self._arguments = replays, OfRegistry(registry, Sites), clock

    def expand(self, root: PBegin) -> PCollection[DecodedBatch]:
        return root | beam.Impulse() | "Find" >> beam.FlatMap(_find, *self._arguments).with_output_types(DecodedBatch)


class ReplayOnChange(beam.PTransform):
    """Replays at the start and after each change of the registry, for as long as the pipeline runs."""

    def __init__(self, replays: Replays, registry: RegistrySource, clock: Clock) -> None:
        super().__init__()
        self._look = _Look(replays, registry, clock)

    def expand(self, root: PBegin) -> PCollection[DecodedBatch]:
        one = root | beam.Impulse() | "One key" >> beam.Map(_keyed).with_output_types(tuple[str, bytes])
        return one | "Look" >> beam.ParDo(self._look).with_output_types(DecodedBatch)


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
    ) -> Iterator[DecodedBatch]:
        self._wake(timer)
        state = due(LOOKED.unpack(stored.read()) or LookState(), self._name.current())
        if not state.looks_due:
            return
        found = self._found(state)
        if found is not None:
            stored.write(LOOKED.pack(after(state, found)))
            _say(sum(batch.rows.num_rows for batch in found))
            yield from found

    def _found(self, state: LookState) -> list[DecodedBatch] | None:
        """Returns what is to be replayed; None if that cannot be known now: the look stays due."""
        replayed = frozenset(state.replayed)
        try:
            found = list(self._replays.found(self._sites.current(), self._clock()))
        except Exception as error:  # noqa: BLE001 - an outage of whatever kind
            _LOG.warning("rejects of unknown devices cannot be read now: %s: %s", type(error).__name__, error)
            return None
        return [rest for batch in found if (rest := without(batch, replayed))]

    def _wake(self, timer: RuntimeTimer) -> None:
        timer.set(Timestamp(micros=micros(self._clock() + self._replays.every)))


def due(state: LookState, registry: str) -> LookState:
    """Returns the state with the looks that a change of the registry makes due."""
    return state if state.registry == registry else LookState(registry, LOOKS)


def after(state: LookState, found: list[DecodedBatch]) -> LookState:
    """Returns the state after a look. What was replayed is remembered until the last look that is due."""
    left = state.looks_due - 1
    new = ((batch.envelope.batch_id, number) for batch in found for number in batch.rows.column("row").to_pylist())
    return state._replace(looks_due=left, replayed=(*state.replayed, *new) if left else ())


def placements_name(registry: Registry) -> str:
    """Returns a name for where all devices stand, the same on every worker."""
    return hashlib.sha256(repr(sorted(map(repr, registry.devices))).encode()).hexdigest()


def _find(_: Any, replays: Replays, sites: OfRegistry[Sites], clock: Clock) -> Iterator[DecodedBatch]:
    count = 0
    for batch in replays.found(sites.current(), clock()):
        count += batch.rows.num_rows
        yield batch
    _say(count)


def _say(rows: int) -> None:
    if rows:
        _LOG.info("%d rows of devices that the registry knows by now come in", rows)


def _keyed(impulse: bytes) -> tuple[str, bytes]:
    return "rejects", impulse
