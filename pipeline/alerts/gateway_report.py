"""Reads what a batch shows of its gateway: who was heard when, and until when everything was delivered. Vectorised, pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.alerts.observation import AHEAD
from pipeline.assign_sites import by_batch
from pipeline.elements import RowGroup
from schemas.envelope import micros
from schemas.records import Kind


@dataclass(frozen=True, slots=True)
class GatewayReport:
    """Says what one batch shows of its gateway. Times in microseconds."""

    gateway_id: str
    received: int
    devices: dict[str, tuple[int, str]]
    """Device -> the latest event time, and its site."""
    heartbeat: int | None
    complete: int | None
    """Everything up to then was delivered before this heartbeat."""


def gateway_reports(row_group: RowGroup) -> Iterator[GatewayReport]:
    """Reports on each batch, of whatever kind. Vectorised."""
    return map(_report, by_batch(row_group))


def _report(row_group: RowGroup) -> GatewayReport:
    kind, rows = row_group.kind, row_group.rows
    received = micros(rows.column("received_time")[0].as_py())
    latest = received + AHEAD // timedelta(microseconds=1)
    devices: dict[str, tuple[int, str]] = {}
    heartbeat = complete = None
    if kind == Kind.SUMMARIES:
        devices = _last_heard(rows, latest)
    elif kind == Kind.HEARTBEATS:
        heartbeat, complete = _completeness(rows, latest)
    return GatewayReport(rows.column("gateway_id")[0].as_py(), received, devices, heartbeat, complete)


def _last_heard(rows: pa.RecordBatch, latest: int) -> dict[str, tuple[int, str]]:
    times = pc.min_element_wise(rows.column("last_time").cast(pa.int64()), latest)
    table = pa.table({"device": rows.column("device_id"), "time": times, "site": rows.column("site_id")})
    by_device = table.group_by("device").aggregate([("time", "max"), ("site", "max")])
    names, moments, sites = (by_device.column(name).to_pylist() for name in ("device", "time_max", "site_max"))
    return dict(zip(names, zip(moments, sites, strict=True), strict=True))


def _completeness(rows: pa.RecordBatch, latest: int) -> tuple[int | None, int | None]:
    times = rows.column("heartbeat_time").cast(pa.int64())
    complete = pc.min_element_wise(times, rows.column("oldest_pending_time").cast(pa.int64()))
    newest = pc.max(times).as_py()
    return min(newest, latest), min(pc.max(complete).as_py(), latest)
