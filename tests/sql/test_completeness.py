"""Completeness answers whatever the tables hold, and what it answers is what a plain count of the numbers gives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from google.cloud import bigquery

from schemas.envelope import micros
from schemas.warehouse import ALL_TIME
from tests.sql.test_cases import filled

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MOST = 10**12
HOUR = 3_600_000_000
LAST = micros(datetime.max.replace(tzinfo=UTC))
HOSTILE = [-(2**63), -5, 0, MOST, MOST + 1, 2**53, 2**62, 2**63 - 1]
STEPS = [0.0, 0.0, 0.2, 0.5, 60.0, 1800.0, 3600.0, 90_000.0, -7200.0, -0.3, 40 * 86400.0]

COUNTED = ("received", "missing", "declared", "thinned", "unplaced")
Counts = dict[tuple[str, int], tuple[int, ...]]
"""(gateway_id, hour in microseconds) -> what is COUNTED."""


def gateway(number: int, rng: Random) -> dict[str, list[dict[str, Any]]]:
    """Some batches of a gateway in one or two epochs, some lost, repeated or forged, cut by a clock that may jump; and some ledgers."""
    rows: dict[str, list[dict[str, Any]]] = {"batches_v1": [], "heartbeats_v1": []}
    name, hostile = f"gw{number}", rng.random() < 0.4
    for epoch in range(1, rng.randint(2, 3)):
        time, highest = NOON + timedelta(seconds=rng.uniform(-5, 5)), 0
        for seq in range(1, rng.randint(2, 25)):
            time += timedelta(seconds=rng.choice(STEPS) if hostile else rng.choice(STEPS[:8]))
            highest += rng.choice([1, 1, 1, 1000]) if seq > 1 else 1
            if rng.random() < 0.7:
                said = rng.choice(HOSTILE) if hostile and rng.random() < 0.1 else highest
                batch = {"gateway_id": name, "batch_id": f"{name}:{epoch}:{said}", "epoch": epoch, "seq": said, "cut_time": str(time)}
                rows["batches_v1"] += [batch] * rng.choice([1, 1, 1, 2])
        for minute in range(rng.randint(0, 2)):
            cut = rng.choice(HOSTILE) if hostile and rng.random() < 0.3 else highest + rng.choice([0, 0, 7])
            gone = {f"{what}_ranges": ranges(highest, rng, hostile=hostile) for what in ("dropped", "thinned")}
            heartbeat = {"batch_id": f"{name}:{epoch}:{highest}", "gateway_id": name, "batches_cut": cut}
            rows["heartbeats_v1"].append(heartbeat | {"heartbeat_time": str(time + timedelta(minutes=minute)), **gone})
    return rows


def ranges(highest: int, rng: Random, *, hostile: bool) -> list[int]:
    bounds = [
        rng.choice(HOSTILE) if hostile and rng.random() < 0.1 else rng.randint(1, highest + 3) for _ in range(rng.choice([0, 2, 4, 6]))
    ]
    return bounds + [3] * (rng.random() < 0.2) if hostile else sorted(bounds)


def is_sound(rows: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether no batch was cut before one of a lower number, and no number is nonsense: then other days are known by their ends."""
    times: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in rows["batches_v1"]:
        times[row["epoch"]].append((row["seq"], at(row["cut_time"])))
    for row in rows["heartbeats_v1"]:
        if not 0 <= row["batches_cut"] <= 10**9:
            return False
    return all(
        0 < low[0] <= high[0] <= 10**9 and low[1] <= high[1]
        for marks in times.values()
        for low, high in pairwise(sorted(marks, key=lambda mark: mark[0]))
    )


def reference(rows: dict[str, list[dict[str, Any]]]) -> Counts:
    """Counts number by number range, each in its epoch, with exact fractions."""
    counts: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    seen: defaultdict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for row in rows["batches_v1"]:
        if 1 <= row["seq"] <= MOST:
            arrivals = seen[row["gateway_id"], row["epoch"]]
            arrivals[row["seq"]] = min(arrivals.get(row["seq"], LAST), at(row["cut_time"]))
    for (name, _), arrivals in seen.items():
        for time in arrivals.values():
            counts[name, time // HOUR * HOUR]["received"] += 1
    newest = ledgers(rows["heartbeats_v1"])
    for key in seen.keys() | newest.keys():
        cut, time, dropped, thinned = newest.get(key, (0, 0, [], []))
        marks = sorted({(0, 0)} | set(seen[key].items()))
        if key in newest and cut + 1 not in seen[key]:
            marks = sorted([*marks, (cut + 1, time)])
        elif key in newest:
            marks = [(seq, min(when, time) if seq == cut + 1 else when) for seq, when in marks]
        for (before, began), (after, ended) in pairwise(marks):
            # The mark that a ledger sets is of a batch that nobody saw.
            first = before if before and before not in seen[key] else before + 1
            for hour, begin, end, is_far in spread(first, after - first, began if before else ended, ended):
                declared, gone = covered(begin, end, dropped), covered(begin, end, dropped[: len(dropped) // 2 * 2] + thinned)
                placed = {"unplaced": (end - begin) * is_far}
                counts[key[0], hour].update(missing=end - begin - gone, declared=declared, thinned=gone - declared, **placed)
    return {key: tuple(count[name] for name in COUNTED) for key, count in counts.items() if any(count.values())}


def ledgers(heartbeats: list[dict[str, Any]]) -> dict[tuple[str, int], tuple[int, int, list[int], list[int]]]:
    """Returns the highest number, when it was first said, and what the last heartbeat that said it declares dropped and thinned."""
    newest: dict[tuple[str, int], tuple[int, int, list[int], list[int]]] = {}
    for row in sorted(heartbeats, key=lambda row: at(row["heartbeat_time"])):
        key, cut, time = (row["gateway_id"], int(row["batch_id"].split(":")[1])), row["batches_cut"], at(row["heartbeat_time"])
        before = newest.get(key)
        if 0 <= cut <= MOST and (before is None or cut >= before[0]):
            first = before[1] if before and before[0] == cut else time
            newest[key] = cut, first, row["dropped_ranges"], row["thinned_ranges"]
    return newest


def spread(first: int, size: int, began: int, ended: int) -> Iterator[tuple[int, int, int, bool]]:
    """Yields (hour, first number, end, whether it is unplaced) of the numbers first to first + size - 1."""
    far = abs(ended - began) // 1_000_000 > 31 * 86400
    low, high = (ended, ended) if far else sorted([began, ended])
    for hour in range(low // HOUR * HOUR, high + 1, HOUR):
        shares = [
            min(max(Fraction(edge - low, high - low), Fraction(0)), Fraction(1)) if high > low else int(edge > low)
            for edge in (hour, hour + HOUR)
        ]
        begin = first + int(size * shares[0])
        end = first + (size if hour + HOUR > high else int(size * shares[1]))
        if end > begin:
            yield hour, begin, end, far


def covered(begin: int, end: int, dropped: list[int]) -> int:
    """Counts the numbers of [begin, end) in any sound range, each once."""
    cuts = sorted(
        (max(low, begin), min(high + 1, end)) for low, high in zip(dropped[::2], dropped[1::2], strict=False) if 0 <= low <= high < 2**62
    )
    total, reached = 0, begin
    for low, high in cuts:
        total += max(0, high - max(low, reached))
        reached = max(reached, high)
    return total


def counts_of(hours: Iterable[Any]) -> Counts:
    """The rows of completeness as the reference has them."""
    return {(row["gateway_id"], micros(row["hour"])): tuple(row[name] for name in COUNTED) for row in hours}


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text))


@pytest.mark.parametrize("seed", range(6))
def test_completeness_of_random_and_hostile_numbers_is_the_plain_count(applied: bigquery.Client, seed: int) -> None:
    rng = Random(seed)
    gateways = [gateway(number, rng) for number in range(40)]
    rows = {table: [row for each in gateways for row in each[table]] for table in ("batches_v1", "heartbeats_v1")}
    for table in rows.values():
        rng.shuffle(table)
    with filled(applied, rows, NOON):
        hours = list(applied.query_and_wait(f"select * from tinybeam.completeness_between({ALL_TIME})"))
        two_days = "timestamp '2026-05-02 06:00:00', timestamp '2026-05-04 06:00:00'"
        of_two_days = counts_of(applied.query_and_wait(f"select * from tinybeam.completeness_between({two_days})"))
        stores = list(applied.query_and_wait(f"select * from tinybeam.stores_between({ALL_TIME})"))
    answered = counts_of(hours)
    assert_stores_add_up(stores, answered)
    assert answered == reference(rows)
    begin, end = micros(datetime(2026, 5, 2, 6, tzinfo=UTC)), micros(datetime(2026, 5, 4, 6, tzinfo=UTC))
    sound = {each["batches_v1"][0]["gateway_id"] for each in gateways if each["batches_v1"] and is_sound(each)}
    assert {key: counts for key, counts in of_two_days.items() if key[0] in sound} == {
        key: counts for key, counts in answered.items() if key[0] in sound and begin <= key[1] < end
    }
    for row in hours:
        rest = row["received"] + row["missing"] + row["declared"]
        assert row["completeness"] == pytest.approx(row["received"] / rest if rest else 1, rel=1e-12)


def assert_stores_add_up(stores: list[Any], hours: Counts) -> None:
    """What the stores of a gateway received, miss and declare is what its hours do."""
    names = ("received", "missing", "declared")
    of_stores, of_hours = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in stores:
        assert row["missing"] == row["lost"] + row["waiting"] + row["unknown"]
        of_stores.update({(row["gateway_id"], name): row[name] for name in names})
    for (gateway_id, _), counts in hours.items():
        of_hours.update({(gateway_id, name): count for name, count in zip(names, counts, strict=False)})
    assert +of_stores == +of_hours
