"""Of the readings that are lost on their way, the numbers say exactly which: no more, and no less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from google.cloud import bigquery

from schemas.intervals import IntervalSet
from tests.sql.test_cases import filled

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = 86_400

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """A reading as a gateway heard it: `second` is the event time that it was given."""

    gateway_id: str
    second: int
    seq: int


@dataclass(frozen=True, slots=True)
class Life:
    """What a sensor sent from one start of its counter to the next, and what of it nobody heard."""

    heard: list[Heard]
    lost: set[int]


def life(rng: Random, begin: int, first: int, count: int, step: float, *, swaps: bool) -> Life:
    """A sensor whose readings get lost one by one and in bursts; two gateways hear it, each not all."""
    heard, lost, silent = [], set[int](), 0
    for number in range(count):
        silent = rng.choice([3, 20, 90]) if not silent and rng.random() < 0.004 else max(0, silent - 1)
        hearers = [gateway for gateway in ("gw1", "gw2") if not silent and rng.random() < 0.85 and (gateway == "gw1" or number % 400 < 200)]
        # Without a time of the sensor, the event time is that of the arrival.
        late = rng.choice([0, 0, 0, 0, 1.5]) * step if swaps else 0
        second = begin + int(number * step + late)
        heard += [Heard(gateway, second, first + number) for gateway in hearers]
        lost |= set() if hearers else {first + number}
    numbers = {one.seq for one in heard}
    return Life(heard, {seq for seq in lost if numbers and min(numbers) < seq < max(numbers)})


def summaries(device: str, heard: list[Heard], rng: Random, *, hold: bool) -> Iterator[Row]:
    """Rows as gateways send them: a channel of all readings and one of a part, held over minutes or not, some parts late, some twice."""
    for gateway in ("gw1", "gw2"):
        for channel, share in (("moisture", 1.0), ("temperature", 0.3)):
            of_channel = [one for one in heard if one.gateway_id == gateway and rng.random() < share]
            for start, seconds, numbers in windows(of_channel, hold=hold and channel == "moisture", rng=rng):
                half = rng.randint(1, len(numbers)) if rng.random() < 0.1 else len(numbers)
                for late, part in ((False, numbers[:half]), (True, numbers[half:])):
                    if part:
                        flat = list(IntervalSet.of(part).flat())
                        row = {"device_id": device, "gateway_id": gateway, "channel": channel, "window_seconds": seconds, "late": late}
                        row |= {"window_start": str(START + timedelta(seconds=start)), "seq_ranges": flat, "count": len(part)}
                        yield from [row] * rng.choice([1, 1, 1, 2])


def windows(heard: list[Heard], *, hold: bool, rng: Random) -> Iterator[tuple[int, int, list[int]]]:
    minutes = defaultdict[int, list[int]](list)
    for one in heard:
        minutes[one.second // 60 * 60].append(one.seq)
    run: tuple[int, int, list[int]] | None = None
    for start, numbers in sorted(minutes.items()):
        ascends = run is not None and max(run[2]) < min(numbers) and run[0] + run[1] == start and start % 3600
        if run and not (ascends and hold and rng.random() < 0.97):
            yield run
            run = None
        run = (run[0], run[1] + 60, run[2] + numbers) if run else (start, 60, numbers)
    if run:
        yield run


def sensor(number: int, rng: Random) -> tuple[list[Heard], list[set[int]]]:
    """Some lives of one sensor, and what is missing in each."""
    step = rng.choice([2, 6, 60, 60, 420])
    swaps, begin, heard, lost = step >= 6 and number % 4 == 0, 0, [], []
    first = rng.choice([0, 1, 5000, 2**61])
    for _ in range(rng.randint(1, 3)):
        count = rng.randint(60, 700)
        lived = life(rng, begin, first, count, step, swaps=swaps)
        heard += lived.heard
        lost.append(lived.lost)
        begin += int(count * step) + rng.choice([5 if step == 60 else 90, 3600, 2 * DAY])
        first = rng.choice([0, 1])
    return heard, lost


@pytest.mark.parametrize("seed", range(3))
def test_every_lost_reading_is_found_and_no_other(applied: bigquery.Client, seed: int) -> None:
    rng = Random(seed)
    sensors = {f"d{number}": sensor(number, rng) for number in range(40)}
    rows = [row for name, (heard, _) in sensors.items() for row in summaries(name, heard, rng, hold=rng.random() < 0.5)]
    rng.shuffle(rows)
    with filled(applied, {"summaries_v1": rows}, START):
        select = "select * from tinybeam.missing_readings_between(timestamp '2026-05-01', timestamp '2026-06-30')"
        found = list(applied.query_and_wait(select))
    named = defaultdict[str, list[int]](list)
    for row in found:
        assert row["missing"] == row["last_seq"] - row["first_seq"] + 1
        named[row["device_id"]] += range(row["first_seq"], row["last_seq"] + 1)
    truth = {name: sorted(seq for lost in lives for seq in lost) for name, (_, lives) in sensors.items()}
    assert sum(map(len, truth.values())) > 4000
    assert {name: sorted(named[name]) for name in truth} == truth
