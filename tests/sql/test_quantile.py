"""The quantile that an analyst asks for: of real readings through summaries and the real client, and equal to Python's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest
from google.cloud import bigquery

from edge.reading import Reading
from edge.summaries.summarise import summaries
from edge.window import Window, WindowedReadings
from edge.windows import Windows
from schemas import sketch
from schemas.envelope import micros
from schemas.records import Summary
from schemas.warehouse import ALL_TIME

START = datetime(2026, 5, 1, tzinfo=UTC)
SHARES = [0.0, 0.05, 0.5, 0.95, 1.0]
CHANNELS: dict[str, Callable[[Random], float]] = {
    "moisture": lambda chance: 0.3 + chance.gauss(0, 0.02),
    "temperature": lambda chance: chance.gauss(0, 8),
    "velocity": lambda chance: chance.lognormvariate(0.5, 0.8),
    "flow": lambda chance: chance.choice([0.0, 0.0, chance.uniform(0, 1e15)]),
}


@pytest.fixture
def readings() -> list[Reading]:
    """Two hours of two devices, a reading in 20 seconds, a tenth of them late."""
    chance = Random(7)
    return [
        Reading(
            f"d{device}", at, at + 100_000, "synced", None, None, True, {name: draw(chance) * device for name, draw in CHANNELS.items()}
        )
        for device in (1, 2)
        for second in range(0, 7200, 20)
        for at in [micros(START) + second * 1_000_000 + device]
    ]


def windowed(readings: Iterable[Reading], seconds: int) -> Iterator[Window]:
    """As a gateway windows them: nine tenths in time, the others late."""
    windows, late = Windows(seconds, 0, 0), []
    for number, reading in enumerate(readings):
        windowed = WindowedReadings(seconds, number % 10 == 0, [reading])
        (late.append(windowed) if windowed.late else windows.add(windowed, 0))
    yield from windows.advance(micros(START + timedelta(days=1)))
    for windowed in late:
        windows.add(windowed, 0)
    yield from windows.advance(micros(START + timedelta(days=1)))


def loaded(client: bigquery.Client, summaries: Iterable[Summary]) -> None:
    """Appends them to summaries_v1, each a batch of its own."""
    placement = {"row": 0, "gateway_id": "gw1", "site_id": "north", "received_time": START, "extras": None}
    rows = [asdict(summary) | placement | {"batch_id": f"gw1:7:{number}"} for number, summary in enumerate(summaries, 1)]
    plain = json.loads(json.dumps(rows, default=datetime.isoformat))
    client.load_table_from_json(
        plain, "tinybeam.summaries_v1", job_config=bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    ).result()


def exact(values: list[float], q: float) -> float:
    return next(value for number, value in enumerate(sorted(values), 1) if number / len(values) >= q)


def answers(client: bigquery.Client, select: str) -> list[dict[str, Any]]:
    shares = ", ".join(f"tinybeam.quantile(array_concat_agg(sketch), {q}) as q{number}" for number, q in enumerate(SHARES))
    return [dict(row) for row in client.query_and_wait(select.format(shares=shares))]


def agree(row: dict[str, Any], values: list[float]) -> None:
    assert values
    for number, q in enumerate(SHARES):
        assert row[f"q{number}"] == pytest.approx(exact(values, q), rel=0.01 * (1 + 1e-9), abs=1e-12), f"{q} of {row}"


def test_quantiles_over_groups_and_times_are_within_one_percent_of_those_of_the_readings(
    emptied: bigquery.Client, readings: list[Reading]
) -> None:
    first, second = readings[: len(readings) // 2], readings[len(readings) // 2 :]
    windows = [*windowed(first, 60), *windowed(second, 300)]  # as after a change of settings
    loaded(emptied, (one for window in windows for one in summaries(window, {})))

    by_channel = answers(emptied, f"select channel, {{shares}} from tinybeam.summaries_between({ALL_TIME}) group by channel")
    assert {row["channel"] for row in by_channel} == set(CHANNELS)
    for row in by_channel:
        agree(row, [reading.values[row["channel"]] for reading in readings])

    hour = "timestamp_trunc(window_start, hour) as hour"
    hours = f"select device_id, channel, {hour}, {{shares}} from tinybeam.summaries_between({ALL_TIME}) group by 1, 2, 3"
    by_hour = answers(emptied, hours)
    assert len(by_hour) == 2 * len(CHANNELS) * 2
    for row in by_hour:
        low = micros(row["hour"])
        of = [one for one in readings if one.device_id == row["device_id"] and low <= one.event_us < low + 3_600_000_000]
        agree(row, [one.values[row["channel"]] for one in of])

    span = "window_start >= '2026-05-01T00:10:00Z' and window_start < '2026-05-01T01:35:00Z'"
    (ranged,) = answers(emptied, f"select {{shares}} from tinybeam.summaries_between({ALL_TIME}) where channel = 'velocity' and " + span)
    between = range(micros(START) + 600_000_000, micros(START) + 5_700_000_000)
    agree(ranged, [one.values["velocity"] for one in readings if one.event_us in between])


def test_the_view_counts_what_the_readings_are(emptied: bigquery.Client, readings: list[Reading]) -> None:
    loaded(emptied, (one for window in windowed(readings[:400], 60) for one in summaries(window, {})))
    rows = emptied.query_and_wait(f"select channel, sketch from tinybeam.summaries_between({ALL_TIME}) where partials > 1")
    merged = sorted((row["channel"], tuple(row["sketch"])) for row in rows)
    at = lambda reading: (reading.device_id, reading.event_us // 60_000_000)  # noqa: E731
    whole = [list(window) for _, window in groupby(sorted(readings[:400], key=at), at)]
    assert len(merged) > 100
    assert set(merged) <= {(name, sketch.of(reading.values[name] for reading in window)) for window in whole for name in CHANNELS}


def test_python_and_sql_answer_alike(applied: bigquery.Client) -> None:
    chance = Random(11)
    scales = [1e-13, 1e-12, 1e-6, 1.0, 40.0, 1e6, 1e15, 1e22]
    asked = [
        (
            sketch.of(chance.gauss(0, 1) * chance.choice(scales) for _ in range(chance.choice([1, 2, 20, 100]))),
            chance.choice([*SHARES, chance.random()]),
        )
        for _ in range(150)
    ] + [((), 0.5), ((-1,), 0.5), ((-3, *sketch.of([1.0])), 0.5)]
    structs = ", ".join(
        f"struct({n} as n, cast([{', '.join(map(str, s))}] as array<int64>) as s, {q!r} as q)" for n, (s, q) in enumerate(asked)
    )
    rows = applied.query_and_wait(f"select n, tinybeam.quantile(s, q) as answer from unnest([{structs}]) order by n")
    for row, (entries, q) in zip(rows, asked, strict=True):
        wanted = sketch.quantile(entries, q)
        assert row["answer"] == (None if wanted is None else pytest.approx(wanted, rel=1e-12, abs=0)), (entries, q)
