"""Calculates from the raw readings what the views must show, in plain Python, and counts the cells that differ.

Nothing of the system under test is used: no statistics, no merge law, no window code.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from google.cloud import bigquery

from lab.drills.probes import UNITS, RawReading
from schemas.warehouse import FOREVER

SiteOf = Callable[[str, datetime], str]
"""Device and time -> site."""

_COLUMNS = ("count", "mean", "min", "max")
_TOLERANCE = 1e-9
_HOUR = 3600

_SITE_WINDOWS = f"""
select site_id, channel, unit, window_start, window_seconds, count, mean, min, max
from tinybeam.site_windows_between(@since, {FOREVER})
where window_seconds = 3600
"""
_SUMMARIES = f"""
select device_id as site_id, channel, unit, timestamp_trunc(window_start, hour) as window_start, 3600 as window_seconds,
  sum(count) as count, sum(sum) / sum(count) as mean, min(min) as min, max(max) as max
from tinybeam.summaries_between(@since, {FOREVER})
group by device_id, channel, unit, timestamp_trunc(window_start, hour)
"""


class WindowKey(NamedTuple):
    """Names a window of one channel of a site (or of a device)."""

    subject: str
    channel: str
    unit: str
    window_start: datetime
    window_seconds: int


Cells = Mapping[WindowKey, tuple[float, ...]]
"""Window -> count, mean, min, max."""


def expected(readings: Iterable[RawReading], subject_of: SiteOf, seconds: int) -> Cells:
    """Calculates the windows of this length from readings, each of which counts once."""
    values: dict[WindowKey, list[float]] = defaultdict(list)
    for raw in readings:
        start = datetime.fromtimestamp(raw.time.timestamp() // seconds * seconds, raw.time.tzinfo)
        for channel, value in raw.values.items():
            values[WindowKey(subject_of(raw.device_id, raw.time), channel, UNITS[channel], start, seconds)].append(value)
    return {key: (len(found), statistics.fmean(found), min(found), max(found)) for key, found in values.items()}


def wrong_cells(client: bigquery.Client, readings: Iterable[RawReading], site_of: SiteOf) -> list[str]:
    """Names the cells that differ from the readings: of the hours of each site in `site_windows`, and of each device in `summaries`."""
    readings = list(readings)
    since = min((raw.time for raw in readings), default=datetime.now(UTC)) - timedelta(hours=2)
    by_site, by_device = expected(readings, site_of, _HOUR), expected(readings, lambda device, _: device, _HOUR)
    return [
        *differences("site_windows", by_site, _shown(client, _SITE_WINDOWS, since)),
        *differences("summaries", by_device, _shown(client, _SUMMARIES, since)),
    ]


def _shown(client: bigquery.Client, sql: str, since: datetime) -> Cells:
    parameters = [bigquery.ScalarQueryParameter("since", "TIMESTAMP", since)]
    rows = client.query_and_wait(sql, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
    return {WindowKey(*(row[name] for name in ("site_id", *WindowKey._fields[1:]))): tuple(row[name] for name in _COLUMNS) for row in rows}


def differences(view: str, wanted: Cells, shown: Cells) -> Iterator[str]:
    """Yields a sentence for each cell that is not as wanted; a window on one side alone has four."""
    for key in sorted(wanted.keys() | shown.keys()):
        window = f"{key.subject} {key.channel} {key.window_start:%Y-%m-%d %H:%M} ({key.window_seconds} s)"
        for name, want, have in zip(_COLUMNS, wanted.get(key, _NONE), shown.get(key, _NONE), strict=True):
            if not _equal(want, have):
                yield f"{view}.{name} of {window}: {have}, not {want}"


def _equal(want: float | None, have: float | None) -> bool:
    if want is None or have is None:
        return want is have
    return math.isclose(want, have, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


_NONE = (None,) * len(_COLUMNS)
