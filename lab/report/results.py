"""Writes the results of the demo: summary.json, run_record.json and report.html, and the lines on the console.

Latency is that of the batches that no fault affected; the console shows that of the others too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from google.cloud import bigquery

from lab.acts.run_record import RunRecord
from lab.console import Console
from lab.report import render
from lab.witness.latency import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Holds the content of summary.json."""

    readings_acknowledged: int
    rows: dict[str, int]
    lost: int
    repeated: int
    bytes_raw_mqtt: int
    bytes_uplink: int
    latency_ms: dict[str, float]
    seconds: float
    parts: dict[str, str]

    @classmethod
    def of(cls, record: RunRecord, readings_acknowledged: int) -> Summary:
        milliseconds = [arrival.milliseconds for arrival in record.unaffected]
        return cls(
            readings_acknowledged=readings_acknowledged,
            rows=dict(record.rows),
            lost=record.total.lost,
            repeated=record.total.repeated,
            bytes_raw_mqtt=record.bytes_raw_mqtt,
            bytes_uplink=record.bytes_uplink,
            latency_ms={"p50": round(percentile(milliseconds, 0.5)), "p99": round(percentile(milliseconds, 0.99))},
            seconds=round(record.seconds, 1),
            parts=dict(record.parts),
        )


def publish(directory: Path, client: bigquery.Client, record: RunRecord, readings_acknowledged: int, console: Console) -> bool:
    """Writes the files and the verdict. Returns whether nothing was lost, repeated or unexpected."""
    summary = Summary.of(record, readings_acknowledged)
    file = directory / "summary.json"
    file.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    record.save(directory)
    console.status("writing the report")
    page = render.write(directory, client, record)
    console.title("The oracle's verdict")
    console.show(f"both acts: {record.total.text}")
    latency, all_batches = summary.latency_ms, [arrival.milliseconds for arrival in record.arrivals]
    console.show(f"latency from the newest reading of a batch to its row: p50 {latency['p50']} ms, p99 {latency['p99']} ms")
    console.show(f"  with the batches that a fault affected: p99 {percentile(all_batches, 0.99):.0f} ms, longest {max(all_batches):.0f} ms")
    console.show(f"bytes: {summary.bytes_raw_mqtt} by MQTT to the gateways, {summary.bytes_uplink} from them to Pub/Sub")
    console.show(f"summary after {summary.seconds} s: {file}")
    console.show(f"report: {page}")
    return record.total.sound
