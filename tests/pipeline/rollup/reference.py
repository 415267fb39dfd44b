"""Rolls up by the letter of docs/adr/0020, row by row from the values themselves: what pipeline/rollup must give."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

Window = tuple[str, int, int]
"""Unit, length and start in seconds."""


@dataclass(frozen=True)
class Heard:
    """Is one row of a gateway, and the values that it sums up."""

    gateway: str
    device: str
    unit: str
    start: int
    seconds: int
    numbers: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def end(self) -> int:
        return self.start + self.seconds

    @property
    def key(self) -> tuple[str, int]:
        return self.unit, self.start // 3600 * 3600

    def lies_over(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end


def counts(row: Heard, of_hour: list[Heard]) -> bool:
    stretch = {row}
    while more := {b for a in stretch for b in of_hour if b.device == row.device and a.lies_over(b.start, b.end)} - stretch:
        stretch |= more
    totals = {gateway: sum(len(one.values) for one in stretch if one.gateway == gateway) for gateway in {one.gateway for one in stretch}}
    ranked = sorted(totals, key=lambda gateway: (-totals[gateway], gateway))
    higher = [one for one in stretch if one.gateway in ranked[: ranked.index(row.gateway)]]
    return all(row.numbers and one.numbers and not set(row.numbers) & set(one.numbers) for one in higher)


def rolled_up(rows: list[Heard]) -> dict[Window, tuple[int, float, float, float, float, int]]:
    """Returns (count, sum, m2, min, max, summaries) of each window."""
    hours: dict[tuple[str, int], list[Heard]] = defaultdict(list)
    for row in rows:
        hours[row.key].append(row)
    found = {}
    for (unit, hour), of_hour in hours.items():
        counted = [row for row in of_hour if counts(row, of_hour)]
        found[unit, 3600, hour] = (*described(counted), len(of_hour))
        for start in range(hour, hour + 3600, 60):
            within = [row for row in counted if start <= row.start and row.end <= start + 60]
            over = [row for row in counted if row.lies_over(start, start + 60)]
            if within and within == over:
                found[unit, 60, start] = (*described(within), sum(row.lies_over(start, start + 60) for row in of_hour))
    return found


def described(rows: list[Heard]) -> tuple[int, float, float, float, float]:
    pool = [value for row in rows for value in row.values]
    mean = math.fsum(pool) / len(pool)
    return len(pool), math.fsum(pool), math.fsum((value - mean) ** 2 for value in pool), min(pool), max(pool)
