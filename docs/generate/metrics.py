"""docs/metrics.md: what a gateway exposes, read from its own exposition."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from edge.health import HealthStatus, exposition
from schemas.arrow import Column, columns
from schemas.records import Heartbeat

_INTRODUCTION = """\
<!-- Generated from edge/health.py by `python -m docs.generate`. Do not edit. -->
# Metrics

A gateway answers on `health.host` and `health.port`: `/metrics` in the text format of Prometheus, and `/healthz` as JSON, with status 200
while it works and 503 while it is `starting`, `stuck` (no news for 30 seconds) or `full` (no room for readings). The same figures go to the
warehouse now and then as [heartbeats](tables/heartbeats_v1.md), so a fleet can be watched without scraping it: see the view `gateways` in
[views](views.md).

What to watch:

| | |
|---|---|
| `tinybeam_store_full` is 1 | readings are not acknowledged: sensors must repeat them. Look at the disk and at `store.max_bytes` |
| `tinybeam_batches_dropped_total` grows | the store is at its bound and the uplink down; `completeness` shows these as `declared` |
| `tinybeam_uplink_online` is 0 for an hour | nothing is lost yet; `tinybeam edge doctor --config gateway.toml` says why |
| `tinybeam_readings_rejected_total` grows | messages that are no readings: [reject reasons](rejects.md) |
| `tinybeam_broker_online` is 0 | the broker is away or refuses the gateway |

## All of them

| metric | kind | meaning |
|---|---|---|
"""
_METRIC = re.compile(r"# HELP (\S+) (.*)\n# TYPE \S+ (\S+)")


def page() -> str:
    """Markdown: one row for each metric of a gateway that has told everything once."""
    rows = "".join(
        f"| `{name}` | {kind} | {meaning} |\n" for name, meaning, kind in _METRIC.findall(exposition(HealthStatus(_heartbeat())))
    )
    return _INTRODUCTION + rows


def _heartbeat() -> Heartbeat:
    return Heartbeat(**{column.name: _value(column) for column in columns(Heartbeat)})


def _value(column: Column) -> Any:
    """Any value of the column's type: what counts is that it is there."""
    values: dict[str, Any] = {"int64": 0, "float64": 0.0, "bool": False, "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "string": ""}
    return [] if column.repeated else values.get(column.type)
