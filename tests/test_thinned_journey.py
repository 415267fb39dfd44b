"""A gateway that is offline until its small store thins and drops: what comes of it in the views is exactly what it acknowledged.

Readings go through the gateway, export files, the pipeline and the warehouse. What was sent is known here alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.cloud import bigquery

from edge.gateway import Gateway, MqttMessage
from edge.store.batch import BatchLimits, encode_all
from edge.store.database import MIN_BYTES
from edge.store.ledger import Ledger
from edge.store.store import Store
from edge.summaries.thin import STEPS
from edge.uplink.export import export
from lab.acts import history
from lab.acts.analyst import empty, prepare
from lab.services.stack import Warehouse
from lab.world.field import REGISTRY
from schemas.envelope import micros
from schemas.intervals import IntervalSet
from schemas.records import Event, Kind
from schemas.registry import Registry
from tests.edge.gateways import config, message
from tests.raw_readings import Raw, rise, seconds_in
from tests.warehouses import silent

BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=4)
DEVICES = tuple(f"soil-0{number}" for number in range(1, 7))
STATES = ("closed", "open")
KINDS = {"door": {"kind": "state", "values": STATES}, "count": {"kind": "counter"}}
CLASS = {"name": "s", "devices": ["soil-*"], "channels": {"moisture": "m3/m3", "door": "", "count": "l"}, "kinds": KINDS}
HOURS = 14
HOUR = 3_600_000_000
LATE_MINUTES = 25
SEED = 20260501
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A reading, and the minute in which the gateway gets it."""

    device: str
    seq: int
    time: datetime
    arrives: int
    door: str
    count: int

    @property
    def message(self) -> MqttMessage:
        values = {"moisture": 0.2 + self.seq % 97 / 1000, "door": self.door, "count": self.count}
        return message(self.device, {"time": self.time.timestamp(), "seq": self.seq, "boot": "b", "values": values})


@dataclass(frozen=True, slots=True)
class Story:
    """What all devices sent, what the gateway's ledger says at the end, and what the views show."""

    sent: list[Sent]
    ledger: Ledger
    views: dict[str, Rows]


def readings() -> Iterator[Sent]:
    """Two a minute of each device; one in twenty comes so late that its quarter may be thinned."""
    rng = Random(SEED)
    for device in DEVICES:
        count, door = 0, "closed"
        for number in range(HOURS * 120):
            count, door = count + rng.randint(0, 3), rng.choice([door, door, door, *STATES])
            arrives = number // 2 + (LATE_MINUTES if rng.random() < 0.05 else 0)
            yield Sent(device, number + 1, BEGIN + timedelta(seconds=30 * number + 1), arrives, door, count)


def fill(store: Store, free: int) -> None:
    """Leaves so many pages for summaries: the others are taken by events, which are never thinned."""
    rng, event = (
        Random(SEED),
        {"device_id": DEVICES[0], "cause": "threshold", "channel": "moisture", "previous_state": None, "state": "low"},
    )
    event |= {"event_time": BEGIN, "value": 0.1, "threshold": 0.2, "severity": "warning", "time_quality": "synced"}
    while store._database.free_pages() > free:
        rows = [Event(rule=rng.randbytes(100).hex(), **event) for _ in range(100)]
        store.cut(encode_all(Kind.EVENTS, rows, [], BatchLimits()), BEGIN)


def offline(folder: Path, sent: list[Sent]) -> Ledger:
    """Lets a gateway with a small store hear all of it without an uplink; writes what it has then to export files."""
    settings = config(
        folder,
        gateway={"heartbeat_seconds": 3600},
        sensors=[CLASS],
        windows={"seconds": 60, "grace_seconds": 5},
        batches={"seconds": 900},
    )
    with closing(Store(settings.store_file, "gw-1", MIN_BYTES)) as store:
        fill(store, 46)
        gateway = Gateway(settings, store, BEGIN)
        for minute, coming in groupby(sorted(sent, key=lambda one: one.arrives), key=lambda one: one.arrives):
            now = BEGIN + timedelta(minutes=minute + 1)
            gateway.accept([one.message for one in coming], now)
            gateway.tick(now + timedelta(seconds=6))
        gateway.flush(now + timedelta(minutes=5))
        export(store, folder / history.EXPORT_FOLDER)
        return store.ledger()


@pytest.fixture(scope="module")
def story(warehouse: Warehouse, applied: bigquery.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    prepare(applied, Registry.load(REGISTRY), silent)
    folder, sent = tmp_path_factory.mktemp("thinned"), list(readings())
    ledger = offline(folder, sent)
    history.load(folder / history.EXPORT_FOLDER, warehouse, folder / "pipeline.log")
    views = ("completeness", "summaries", "states", "counters", "heartbeats")
    yield Story(sent, ledger, {view: [dict(row) for row in applied.query_and_wait(f"select * from tinybeam.{view}")] for view in views})
    empty(applied)


def heard(story: Story) -> dict[str, set[int]]:
    """Numbers of each device that the view summaries shows."""
    numbers: dict[str, set[int]] = {device: set() for device in DEVICES}
    for row in story.views["summaries"]:
        if row["channel"] == "moisture":
            numbers[row["device_id"]] |= set(IntervalSet(row["seq_ranges"]))
    return numbers


def test_every_batch_is_here_thinned_or_dropped(story: Story) -> None:
    counted = {name: sum(row[name] for row in story.views["completeness"]) for name in ("declared", "thinned", "missing", "received")}
    ledger = story.ledger
    assert min(ledger.thinned, ledger.dropped) > 0
    assert counted == {
        "declared": ledger.dropped,
        "thinned": ledger.thinned,
        "missing": 0,
        "received": ledger.cut - ledger.thinned - ledger.dropped,
    }


def test_every_acknowledged_reading_is_shown_as_it_was_or_thinned_or_was_dropped(story: Story) -> None:
    by_fidelity = Counter[int | None]()
    for row in story.views["summaries"]:
        if row["channel"] == "moisture":
            by_fidelity[row["fidelity"]] += row["count"]
            assert row["fidelity"] in (None, *STEPS)
            assert row["window_seconds"] <= (row["fidelity"] or 60)
    assert set(by_fidelity) == {None, *STEPS}
    assert by_fidelity.total() + story.ledger.readings_dropped == len(story.sent)
    assert sum(map(len, heard(story).values())) == by_fidelity.total()
    latest = max(story.views["heartbeats"], key=lambda row: row["batches_cut"])
    assert latest["readings_dropped"] == story.ledger.readings_dropped


def known(story: Story, device: str, channel: str) -> tuple[list[Raw], int]:
    """The readings of a channel that are shown, and from when on none of the device is lacking."""
    numbers = heard(story)[device]
    of_device = [one for one in story.sent if one.device == device]
    lacking = max((micros(one.time) for one in of_device if one.seq not in numbers), default=0)
    number = {"door": lambda one: STATES.index(one.door), "count": lambda one: one.count}[channel]
    return [Raw(micros(one.time), number(one)) for one in of_device if one.seq in numbers], lacking


def spans(rows: Rows) -> set[tuple[str, int, int]]:
    """Device, start and end of the windows that a view shows."""
    return {(row["device_id"], micros(row["window_start"]), micros(row["window_end"])) for row in rows}


@pytest.mark.parametrize("view", ["states", "counters"])
def test_no_moment_counts_twice_where_a_late_minute_lies_in_what_was_thinned(story: Story, view: str) -> None:
    found = sorted(spans(story.views[view]))
    assert any(end - start > 60_000_000 for _, start, end in found)
    assert [(one, other) for one, other in pairwise(found) if one[0] == other[0] and other[1] < one[2]] == []


def test_states_and_counters_are_those_of_the_raw_readings_thinned_or_not(story: Story) -> None:
    checked = 0
    of_device = {(device, channel): known(story, device, channel) for device in DEVICES for channel in ("door", "count")}
    for row in story.views["states"]:
        raw, lacking = of_device[row["device_id"], "door"]
        start, end = micros(row["window_start"]), micros(row["window_end"])
        if start > lacking + HOUR:
            assert row["seconds"] == pytest.approx(seconds_in(raw, start, end, STATES.index(row["state"])), abs=1e-6)
            checked += 1
    for row in story.views["counters"]:
        raw, lacking = of_device[row["device_id"], "count"]
        start, end = micros(row["window_start"]), micros(row["window_end"])
        if start > lacking + HOUR:
            assert (row["increase"], row["resets"]) == rise(raw, start, end)
            checked += 1
    assert checked > 500
