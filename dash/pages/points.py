"""Prepares the points of charts: a line is broken where nothing was heard, and what was given is summed up by the day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from statistics import median_low
from typing import Any

from dash.data.devices import SILENT_AFTER
from dash.data.fields import Watering
from presentation.svg import Points


def unbroken(points: Points) -> list[dict[str, Any]]:
    """Adds to each point the number of the stretch in which it was heard (`part`), and whether it is `alone` there.

    A stretch ends where the next point is three times as far away as most are, and further than a sensor may be silent.
    """
    apart = [after["time"] - before["time"] for before, after in pairwise(points)]
    longest = max(SILENT_AFTER, 3 * median_low(apart)) if apart else SILENT_AFTER
    parts = list(accumulate((gap > longest for gap in apart), initial=0))
    sizes = Counter(parts)
    return [{**point, "part": part, "alone": sizes[part] == 1} for point, part in zip(points, parts, strict=False)]


def given_by_day(waterings: Iterable[Watering]) -> Mapping[datetime, float]:
    """Returns the mm of each day of the balance, which begins at midnight UTC."""
    days: dict[datetime, float] = defaultdict(float)
    for given in waterings:
        days[given.time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)] += given.amount_mm
    return days
