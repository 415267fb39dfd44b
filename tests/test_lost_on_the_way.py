"""R12: of the readings that sensors lose on their way, the gateway's rows say exactly which, no later than two windows after the next one.

Sensors lose readings one by one and in bursts, send some again and some too late, and begin their counters anew; what arrives goes through
a gateway, the pipeline's decoding and validation, and the warehouse. What was sent, lost and heard is known here alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from google.cloud import bigquery

from edge.gateway import Gateway, MqttMessage
from edge.store.store import Store
from pipeline.elements import ReceivedMessage
from tests import long_form
from tests.edge.folders import memory_folder
from tests.edge.gateways import START, config, message
from tests.sql.test_cases import filled
from tests.sql.test_kinds_of_channels import facts

DROPS = long_form.number(1_500, 10_000)
SEED = 20260501
WINDOW, TICK = 60, 10
PATIENCE = 2
"""So many windows after the one in which it can be known, rows are to say it."""


class Arrival(NamedTuple):
    """A message at the gateway, in seconds from the start."""

    at: float
    message: MqttMessage


@dataclass(frozen=True, slots=True)
class Life:
    """What a device sent from one start of its counter to the next: when each number arrived that was heard; the others are lost."""

    device: str
    begin: float
    end: float
    heard: dict[int, float] = field(default_factory=dict)

    @property
    def lost(self) -> set[int]:
        return set(range(min(self.heard), max(self.heard))) - self.heard.keys() if self.heard else set()


Story = tuple[list[Life], list[Arrival], list[ReceivedMessage]]
Rows = list[dict[str, Any]]


def sensor(device: str, rng: Random) -> Iterator[tuple[Life, list[Arrival]]]:
    """Some lives of a sensor, with what of them arrives."""
    step, begin, first = rng.choice([5, 10, 20, 30]), rng.uniform(0, WINDOW), rng.choice([0, 1, 5000])
    for number in range(rng.randint(1, 3)):
        count = rng.randint(80, 250)
        life, silent, arrivals = Life(device, begin, begin + count * step), 0, list[Arrival]()
        for seq in range(first, first + count):
            at = begin + (seq - first) * step
            silent = rng.choice([3, 10, 40]) if not silent and rng.random() < 0.01 else max(0, silent - 1)
            if silent or rng.random() < 0.15:
                continue
            is_late = len(life.heard) > 5 and rng.random() < 0.01  # by its first readings a device's clock is known
            late = rng.choice([90, 200]) if is_late else rng.choice([0.2] * 5 + [7, 16, 25])
            reading = {"time": START.timestamp() + at, "seq": seq, "boot": f"b{number}", "values": {"moisture": 0.3}}
            life.heard[seq] = at + late
            again = [rng.uniform(0.5, 100)] * (rng.random() < 0.1)
            arrivals += [Arrival(at + late + after, message(device, reading, dup=after > 0)) for after in (0, *again)]
        yield life, arrivals
        begin, first = life.end + rng.choice([90, 600, 1800]), rng.choice([0, 1])


def sent(rng: Random) -> tuple[list[Life], list[Arrival]]:
    """Sensors until they have lost enough."""
    lives, arrivals = list[Life](), list[Arrival]()
    while sum(len(life.lost) for life in lives) < DROPS:
        for life, arrived in sensor(f"d{len(lives)}", rng):
            lives.append(life)
            arrivals += arrived
    return lives, sorted(arrivals, key=lambda arrival: arrival.at)


def through_gateway(folder: Path, arrivals: Iterable[Arrival], batch_seconds: int) -> list[ReceivedMessage]:
    """The batches of summaries that a gateway cuts, which is killed now and then; each was received when it was cut."""
    settings = config(folder, windows={"seconds": WINDOW, "grace_seconds": 10}, batches={"seconds": batch_seconds})
    rng, store, now = Random(SEED), Store(settings.store_file, "gw-1", 512 << 20), START
    gateway = Gateway(settings, store, now)
    for tick, together in groupby(arrivals, key=lambda arrival: int(arrival.at // TICK)):
        while now < START + timedelta(seconds=tick * TICK):
            now += timedelta(seconds=TICK)
            gateway.tick(now)
        gateway.accept([arrival.message for arrival in together], now)
        if rng.random() < 0.01:
            store.close()
            store = Store(settings.store_file, "gw-1", 512 << 20)
            gateway = Gateway(settings, store, now)
    gateway.flush(gateway.end_of_windows(now))
    with closing(store):
        batches = [batch for batch in store.batches(0, 10**6) if batch.envelope.kind == "summaries"]
        return [ReceivedMessage(batch.envelope.attributes(), batch.body, batch.envelope.cut_time) for batch in batches]


def windows_to_know(lives: Iterable[Life], batches: Iterable[ReceivedMessage]) -> int:
    """How many windows it took at most from when a number was heard below a lost one, and one above it, until rows said so."""
    said = defaultdict[str, list[tuple[float, int, int, float]]](list)
    for batch in batches:
        cut = (batch.received_time - START).total_seconds()
        for row in facts([batch]):
            start, ranges = (row["window_start"] - START).total_seconds(), row["seq_ranges"]
            said[row["device_id"]] += [(start, *pair, cut) for pair in zip(ranges[::2], ranges[1::2], strict=True)]
    return max(_longest(life, said[life.device]) for life in lives if life.lost)


def _longest(life: Life, said: Iterable[tuple[float, int, int, float]]) -> int:
    """For one life: its windows are known by their time."""
    own = [(first, last, cut) for start, first, last, cut in said if life.begin - WINDOW < start < life.end]
    heard = life.heard.items()
    waits = []
    for seq in life.lost:
        known = max(min(at for number, at in heard if number < seq), min(at for number, at in heard if number > seq))
        told = max(min(cut for first, _, cut in own if first < seq), min(cut for _, last, cut in own if last > seq))
        waits.append(int(told // WINDOW - known // WINDOW))
    return max(waits)


def found(client: bigquery.Client, rows: Rows) -> set[tuple[str, datetime, int]]:
    """Device, found_time and number of all that the warehouse says to be missing."""
    with filled(client, {"summaries_v1": rows}, START):
        select = "select * from tinybeam.missing_readings_between(timestamp '2026-04-01', timestamp '2027-01-01')"
        gaps = list(client.query_and_wait(select))
    return {(gap.device_id, gap.found_time, seq) for gap in gaps for seq in range(gap.first_seq, gap.last_seq + 1)}


def of_lives(lives: Iterable[Life], missing: Iterable[tuple[str, datetime, int]]) -> set[tuple[str, float, int]]:
    """Device, begin of the life, and number."""
    begins = defaultdict[str, list[float]](list)
    for life in lives:
        begins[life.device].append(life.begin)
    at = {(device, time, seq): (time - START).total_seconds() + WINDOW for device, time, seq in missing}
    return {(device, max(begin for begin in begins[device] if begin <= at[device, time, seq]), seq) for device, time, seq in at}


@pytest.fixture(scope="module")
def story() -> Story:
    lives, arrivals = sent(Random(SEED))
    with memory_folder() as folder:
        return lives, arrivals, through_gateway(folder, arrivals, 0)


def plain(batches: Iterable[ReceivedMessage]) -> Rows:
    return [{name: str(value) if isinstance(value, datetime) else value for name, value in row.items()} for row in facts(batches)]


def test_every_lost_reading_is_said_to_be_missing_and_no_other_within_two_windows(applied: bigquery.Client, story: Story) -> None:
    lives, _, batches = story
    rows, truth = plain(batches), {(life.device, life.begin, seq) for life in lives for seq in life.lost}
    assert of_lives(lives, found(applied, rows)) == truth, f"seed {SEED}"
    longest = windows_to_know(lives, batches)
    assert longest <= PATIENCE, f"seed {SEED}"
    heard = sum(len(life.heard) for life in lives)
    said = f"{len(truth):,} readings lost beside {heard:,} heard: all of them found and no other"
    long_form.note("R12", measured=f"{said}, {longest} windows after the next one at most", seed=SEED)
    kept = [row for number, row in enumerate(rows) if number % 100]
    wrong = of_lives(lives, found(applied, kept)) ^ truth
    assert wrong, "this test cannot see a row that is not there"
    long_form.note("R12", control=f"with one row in 100 held back, {len(wrong):,} readings are said wrongly")


def test_rows_that_wait_longer_than_two_windows_are_seen_to(
    story: Story,
) -> None:
    lives, arrivals, _ = story
    some = {life.device for life in lives[:5]}
    of_some = [arrival for arrival in arrivals if arrival.message.topic.split("/")[1] in some]
    with memory_folder() as folder:
        batches = through_gateway(folder, of_some, 900)
    assert windows_to_know([life for life in lives if life.device in some], batches) > PATIENCE
