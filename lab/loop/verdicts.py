"""Asks the warehouse which windows have a verdict, and on how many gateways each version of the model ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from google.cloud import bigquery

from lab.loop.result import Ran
from lab.witness.questions import ask

_YOUNG = """
with
  windows as (
    select distinct device_id, window_start
    from tinybeam.summaries_between(@from_time, @to_time)
    where channel = 'moisture'
  ),
  aged as (
    select *, min(window_start) over (partition by device_id) as first_start
    from windows
  ),
  judged as (
    select distinct device_id, window_start
    from tinybeam.inferences_between(@from_time, @to_time)
  )
select
  countif(judged.device_id is null and aged.window_start < timestamp_add(aged.first_start, interval 24 hour)) as young,
  countif(judged.device_id is null and aged.window_start >= timestamp_add(aged.first_start, interval 24 hour)) as missing,
  count(*) as total
from aged
left join judged on aged.device_id = judged.device_id and aged.window_start = judged.window_start
"""
_RAN = """
select distinct timestamp_trunc(window_start, day) as day, model_version, gateway_id
from tinybeam.inferences_between(@from_time, @to_time)
"""


class RanOn(NamedTuple):
    """Says that a gateway judged windows by a version on a day of the season."""

    day: int
    version: str
    gateway_id: str


def windows(client: bigquery.Client, from_time: datetime, to_time: datetime) -> tuple[int, int, int]:
    """Counts the windows of a season: all, those of a device's first day, of which a model says nothing yet, and others without verdict."""
    [row] = ask(client, _YOUNG, from_time=from_time, to_time=to_time)
    return row.total, row.young, row.missing


def ran(client: bigquery.Client, begin: datetime, to_time: datetime) -> list[RanOn]:
    """Returns who judged windows by which version, day by day of a season that began then."""
    rows = ask(client, _RAN, from_time=begin, to_time=to_time)
    return sorted(RanOn((row.day - begin).days, row.model_version, row.gateway_id) for row in rows)


def daily(rows: Sequence[RanOn]) -> tuple[Ran, ...]:
    """Counts the gateways of each version and day."""
    counted = Counter((each.day, each.version) for each in rows)
    return tuple(Ran(day=day, version=version, gateways=count) for (day, version), count in counted.items())
