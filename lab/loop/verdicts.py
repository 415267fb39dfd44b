"""Asks the warehouse which windows have a verdict, and on how many gateways each version of the model ran."""

from __future__ import annotations

from datetime import datetime

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
select timestamp_trunc(window_start, day) as day, model_version, count(distinct gateway_id) as gateways
from tinybeam.inferences_between(@from_time, @to_time)
group by day, model_version
order by day, model_version
"""
_EVER_RAN = """
select model_version, count(distinct gateway_id) as gateways
from tinybeam.inferences_between(@from_time, @to_time)
group by model_version
"""


def windows(client: bigquery.Client, from_time: datetime, to_time: datetime) -> tuple[int, int, int]:
    """Counts the windows of a season: all, those of a device's first day, of which a model says nothing yet, and others without verdict."""
    [row] = ask(client, _YOUNG, from_time=from_time, to_time=to_time)
    return row.total, row.young, row.missing


def ever_ran(client: bigquery.Client, from_time: datetime, to_time: datetime) -> dict[str, int]:
    """Returns on how many gateways each version judged a window."""
    return {row.model_version: row.gateways for row in ask(client, _EVER_RAN, from_time=from_time, to_time=to_time)}


def ran(client: bigquery.Client, begin: datetime, to_time: datetime) -> tuple[Ran, ...]:
    """Returns the same day by day of a season that began then."""
    rows = ask(client, _RAN, from_time=begin, to_time=to_time)
    return tuple(Ran(day=(row.day - begin).days, version=row.model_version, gateways=row.gateways) for row in rows)
