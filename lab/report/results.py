"""How the demo ends: summary.json, story.json and render.html, and the lines that say what came out.

Latency is that of batches whose way from the newest reading to the warehouse met no fault; the screen tells that of the others too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from google.cloud import bigquery

from lab.acts.run_record import Counts, RunRecord
from lab.console import Console
from lab.report import render
from lab.witness.latency import percentile
from lab.witness.oracle import Verdict


@dataclass(frozen=True, slots=True)
class Summary:
    """The content of summary.json."""

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
    def of(cls, story: RunRecord, readings_acknowledged: int) -> Summary:
        calm = [arrival.milliseconds for arrival in story.calm]
        return cls(
            readings_acknowledged=readings_acknowledged,
            rows=dict(story.rows),
            lost=story.both.lost,
            repeated=story.both.repeated,
            bytes_raw_mqtt=story.bytes_raw_mqtt,
            bytes_uplink=story.bytes_uplink,
            latency_ms={"p50": round(percentile(calm, 0.5)), "p99": round(percentile(calm, 0.99))},
            seconds=round(story.seconds, 1),
            parts=dict(story.parts),
        )


def conclude(directory: Path, client: bigquery.Client, story: RunRecord, readings_acknowledged: int, screen: Console) -> bool:
    """Whether nothing was lost, repeated or unexpected."""
    summary = Summary.of(story, readings_acknowledged)
    file = directory / "summary.json"
    file.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    story.save(directory)
    screen.status("writing the report")
    page = render.write(directory, client, story)
    screen.title("The oracle's verdict")
    screen.show(words("both acts", story.both))
    latency, every = summary.latency_ms, [arrival.milliseconds for arrival in story.arrivals]
    screen.show(f"latency from the newest reading of a batch to its row: p50 {latency['p50']} ms, p99 {latency['p99']} ms")
    screen.show(f"  with the batches that met a fault: p99 {percentile(every, 0.99):.0f} ms, longest {max(every):.0f} ms")
    screen.show(f"bytes: {summary.bytes_raw_mqtt} by MQTT to the gateways, {summary.bytes_uplink} up to Pub/Sub")
    screen.show(f"{summary.seconds} s; {file}")
    screen.show(f"the report for people: {page}")
    return story.both.sound


def words(what: str, counts: Counts) -> str:
    return (
        f"{what}: attempted {counts.attempted}, acknowledged {counts.acknowledged}, delivered {counts.delivered}, "
        f"lost {counts.lost}, repeated {counts.repeated}, unexpected {counts.unexpected}"
    )


def under_way(verdict: Verdict) -> str:
    return f"{verdict.acknowledged} acknowledged; {len(verdict.lost)} of them are not in the warehouse yet"
