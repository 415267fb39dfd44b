"""Shows how many bytes the sensors and the gateways sent."""

from __future__ import annotations

from typing import Any

from lab.acts.gateways import LIVE
from lab.acts.run_record import RunRecord
from lab.report.query_results import QueryResults


def content(record: RunRecord, results: QueryResults) -> dict[str, Any]:
    """Compares the bytes that the sensors sent with those that the gateways sent."""
    largest = max(record.bytes_raw_mqtt, record.bytes_uplink, 1)
    return {"kinds": results.transport, "raw": record.bytes_raw_mqtt / largest, "up": record.bytes_uplink / largest}


def lede(record: RunRecord) -> str:
    if not record.bytes_raw_mqtt or not record.bytes_uplink:
        return "Nothing was sent."
    times = record.bytes_raw_mqtt / record.bytes_uplink
    return f"In real time, with windows of {LIVE.window_seconds} seconds, gateways sent {times:.1f} times fewer bytes than they received."
