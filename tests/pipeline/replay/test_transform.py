"""Replays by a timer, and in a batch run; tests/pipeline/test_run.py has the running program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.timestamp import Timestamp

from pipeline import flow, rejects
from pipeline.options import FN_API
from pipeline.refused import Refused
from pipeline.replay.elements import Identity, Replayed, Selection, SetAside
from pipeline.replay.transform import LOOKED, LOOKS, LookState, ReplayNow, Replays, _Look, after, due, placements_name
from pipeline.rollup.transform import Schedule
from schemas.envelope import from_micros
from schemas.records import Device, Kind
from schemas.registry import FixedRegistry, Registry
from tests.pipeline.bodies import ALWAYS, NOW, REGISTRY, message, summary
from tests.pipeline.golden_bytes import golden
from tests.pipeline.memory import WRITTEN, MemorySink
from tests.pipeline.replay.test_recover import of_row

GROWN = replace(REGISTRY, devices=(*REGISTRY.devices, Device("stranger", "soil", "north", ALWAYS, None)))
IN_FORCE: list[Registry] = [REGISTRY]
TIME: list[datetime] = [NOW]
FAILURES: list[Exception] = []


@dataclass(frozen=True)
class Written:
    """Reads rejects and facts of the sink that the flow writes to. Engines copy it, so what fails is kept outside."""

    sink: MemorySink

    def set_aside(self, selection: Selection) -> Iterator[SetAside]:
        if FAILURES:
            raise FAILURES.pop()
        for row in self.sink.table("rejects_v1"):
            if row["reason"] in selection.reasons or not selection.reasons:
                yield replace(of_row(row), received_time=row["timestamp"], rows_in=self.rows_in(row["reject_id"]))

    def rows_in(self, reject_id: str) -> int:
        return max((row["rows_in"] for row in self.sink.table("replays_v1") if row["reject_id"] == reject_id), default=0)

    def facts(self, kind: Kind, batch_ids: Collection[str], first: datetime, last: datetime) -> set[Identity]:
        return {(row["batch_id"], row["row"]) for row in self.sink.table(f"{kind}_v1")}

    def batches(self, batch_ids: Collection[str], first: datetime, last: datetime) -> set[str]:
        return {row["batch_id"] for row in self.sink.table("batches_v1")}


class Changing:
    def current(self) -> Registry:
        return IN_FORCE[0]


def clock() -> datetime:
    return TIME[0]


class Timer:
    """Keeps when it is to wake."""

    def __init__(self) -> None:
        self.wakes: list[datetime] = []

    def set(self, at: Timestamp) -> None:
        self.wakes.append(from_micros(at.micros))


class Remembered:
    """Keeps the bytes of one key."""

    def __init__(self) -> None:
        self.packed: bytes | None = None

    def read(self) -> bytes | None:
        return self.packed

    def write(self, packed: bytes) -> None:
        self.packed = packed


class Looking:
    """Runs the timer of a flow whose facts are not yet seen in the warehouse, or are."""

    def __init__(self, name: str) -> None:
        self.sink, self.state, self.timer = MemorySink(name), Remembered(), Timer()
        replays = Replays(Written(self.sink), timedelta(days=30), timedelta(minutes=1))
        self.step = _Look(replays, Changing(), clock)
        IN_FORCE[0], TIME[0], FAILURES[:] = REGISTRY, NOW, []
        with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
            flow.build(pipeline | beam.Create([SENT]), FixedRegistry(REGISTRY), self.sink, Schedule(streaming=False), clock)

    def wake(self) -> list[tuple[str, list[int]]]:
        found = self.step.on_wake(self.state, self.timer)  # type: ignore[arg-type]
        return [named(each) for each in found]


def named(replayed: Replayed) -> tuple[str, list[int]]:
    assert replayed.new
    return replayed.new.envelope.batch_id, replayed.new.rows.column("row").to_pylist()


SENT = message([summary("stranger"), summary("d1"), summary("stranger")])


def test_rows_come_in_when_the_registry_has_changed_once_though_they_are_not_yet_seen_as_facts() -> None:
    looking = Looking("looking")
    assert [looking.wake() for _ in range(LOOKS + 1)] == [[]] * (LOOKS + 1)
    IN_FORCE[0] = GROWN
    assert [looking.wake() for _ in range(LOOKS)] == [[("gw1:7:1", [0, 2])], [], []]
    assert looking.timer.wakes == [NOW + timedelta(minutes=1)] * (2 * LOOKS + 1), "it goes on looking whether the registry changes"
    FAILURES.append(AssertionError("it looks though nothing changed"))
    assert looking.wake() == []


def test_a_look_that_fails_stays_due(caplog: pytest.LogCaptureFixture) -> None:
    looking = Looking("failing")
    IN_FORCE[0] = GROWN
    FAILURES[:] = [TimeoutError("the warehouse is away")] * 9
    assert [looking.wake() for _ in range(9)] == [[]] * 9
    assert caplog.text.count("the warehouse is away") == 9
    assert looking.wake() == [("gw1:7:1", [0, 2])]


def test_a_batch_run_replays_and_a_second_one_finds_nothing_left() -> None:
    sink = MemorySink("replayed")
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        sent = [message([summary("stranger"), summary("other"), summary("d1")], seq=number) for number in (1, 2)]
        flow.build(pipeline | beam.Create(sent), FixedRegistry(REGISTRY), sink, Schedule(streaming=False), clock)
    for _ in range(2):
        before = len(sink.table("rejects_v1"))
        _replay(sink)
        came = Counter((row["device_id"], row["batch_id"]) for row in sink.table("summaries_v1"))
        assert came == Counter((device, f"gw1:7:{number}") for number in (1, 2) for device in ("stranger", "d1"))
        assert len(sink.table("rejects_v1")) == before
    assert {row["site_id"] for row in sink.table("dirty_windows_v1")} == {"north", "south"}


@pytest.mark.parametrize("lost", ["dirty_windows_v1", "summaries_v1", "batches_v1"])
def test_a_replay_that_was_killed_before_it_wrote_a_table_is_finished_by_the_next(lost: str) -> None:
    sink = MemorySink(f"killed before {lost}")
    undecodable = message([summary("d1"), summary("d2")], seq=3)
    [aside] = [rejects.of_message(Refused(undecodable, "fault", "a release with a fault"), NOW)]
    WRITTEN[sink.name] = [aside]
    _replay(sink)
    WRITTEN[sink.name] = [rows for rows in WRITTEN[sink.name] if rows.table != lost]
    _replay(sink)
    came = Counter((row["batch_id"], row["row"]) for row in sink.table("summaries_v1"))
    assert came == Counter({("gw1:7:3", 0): 1, ("gw1:7:3", 1): 1})
    assert [row["batch_id"] for row in sink.table("batches_v1")] == ["gw1:7:3"]
    assert {row["site_id"] for row in sink.table("dirty_windows_v1")} == {"north", "south"}


def _replay(sink: MemorySink) -> None:
    kept = sink.kept()
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        registry = FixedRegistry(GROWN)
        meant = Selection(first=NOW - timedelta(days=30))
        replayed = pipeline | ReplayNow(Written(kept), meant, registry, clock)
        flow.build_replay(replayed, registry, kept, Schedule(streaming=False), clock)


def test_a_change_of_placements_makes_looks_due_and_nothing_else_does() -> None:
    name = placements_name(REGISTRY)
    state = due(LookState(), name)
    assert state.looks_due == LOOKS
    for _ in range(LOOKS):
        state = after(due(state, name), [])
    assert due(state, placements_name(replace(REGISTRY, sites=()))).looks_due == 0
    assert due(state, placements_name(GROWN)).looks_due == LOOKS


def test_the_state_of_the_first_version_is_read() -> None:
    state = LookState("ab" * 32, 2, (("gw1:7:1", 0), ("gw1:7:1", 3)))
    assert LOOKED.pack(state) == golden("replay_look", 1)
    assert LOOKED.unpack(golden("replay_look", 1)) == state
