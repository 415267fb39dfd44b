"""Reads which alerts the warehouse has as open, for a pipeline that starts without what its predecessor remembered."""

from __future__ import annotations

from dataclasses import fields

from pipeline.io.warehouse import Warehouse
from schemas.records import Alert

_COLUMNS = ", ".join(field.name for field in fields(Alert) if field.name != "historical")
_LATEST_OPEN = """
select * from (
  select * from (
    select {columns}, not logical_or(coalesce(notified, not historical)) over (partition by opened_time, alert_id) as historical
    from `{table}`
    where opened_time >= timestamp_sub(current_timestamp(), interval 1825 day) and source != 'check'
    qualify row_number() over (partition by opened_time, alert_id order by revision desc, as_of desc) = 1
  )
  where state != 'retracted'
  qualify row_number() over (partition by rule, subject order by event_time desc, opened_time desc) = 1
) where state != 'resolved'
"""
"""Asks as the view alerts_open does, of as many days as BigQuery takes: a pipeline goes on with an alert, however long it has been open.
Those of checks are not its own (`tinybeam sql alert`)."""


def open_alerts(warehouse: Warehouse) -> tuple[Alert, ...]:
    """Returns the latest row of the latest alert of each rule and subject, if it is open; historical if nobody was notified of any."""
    query = _LATEST_OPEN.format(columns=_COLUMNS, table=warehouse.path("alerts_v1"))
    with warehouse.client() as client:
        return tuple(Alert(**dict(row.items())) for row in client.query_and_wait(query))
