"""docs/metrics.md: what each part exposes, read from its own exposition, and what engines count."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from edge.health import HealthStatus, exposition
from keys.broker.refused import Refused
from notify import exposition as notifier
from notify.exposition import MessageCounts, ReceiverCounts
from pipeline import exposition as pipeline
from pipeline.counts import METRICS, NAMESPACE
from schemas.arrow import Column, columns
from schemas.records import Heartbeat

_INTRODUCTION = """\
<!-- Generated from what each part exposes by `python -m docs.generate`. Do not edit. -->
# Metrics

## Of a gateway

A gateway answers on `health.host` and `health.port`: `/metrics` in the text format of Prometheus, and `/healthz` as JSON, with status 200
while it works and 503 while it is `starting`, `stuck` (no news for 30 seconds) or `full` (no room for readings). The same figures go to the
warehouse now and then as [heartbeats](tables/heartbeats_v1.md), so a fleet can be watched without scraping it: see the view `gateways` in
[views](views.md).

What to watch:

| | |
|---|---|
| `tinybeam_broker_plain` is 1 | `mqtt.allow_plain`: whoever is on the network can read and forge readings |
| `tinybeam_clock_synced` is 0 | the time is not known, and rows say so: [troubleshooting](troubleshooting.md#times-are-doubtful) |
| `tinybeam_store_full` is 1 | readings are not acknowledged: sensors must repeat them. Look at the disk and at `store.max_bytes` |
| `tinybeam_readings_over_limit_total` grows | a sender costs more than `[limits]` allows: its [rejects](rejects.md) say how |
| `tinybeam_batches_thinned_total` grows | the store is nearly full and the uplink down; no reading is lost yet, but `fidelity` |
| `tinybeam_batches_dropped_total` grows | the store is at its bound and the uplink down; `completeness` shows these as `declared` |
| `tinybeam_uplink_online` is 0 for an hour | nothing is lost yet; `tinybeam edge doctor --config gateway.toml` says why |
| `tinybeam_uplink_day_spent` is 1 | the bytes of `uplink.limits.max_bytes_per_day` have gone: batches wait until midnight UTC |
| `tinybeam_readings_lost_total` grows | the disk lost what it had confirmed, or somebody put an older store back: look at the disk |
| `tinybeam_readings_rejected_total` grows | messages that are no readings: [reject reasons](rejects.md) |
| `tinybeam_releases_refused` grows | a release of a model failed here, and the gateway went back: `tinybeam edge models` says why |
| `tinybeam_releases_waiting` stays above 0 | a release cannot be had, or the machine is too busy: `tinybeam edge models` says which |
| `tinybeam_broker_online` is 0 | the broker is away or refuses the gateway |

| metric | kind | meaning |
|---|---|---|
"""
_OF_BROKER = """
## Of the broker

`tinybeam keys refused LOG --metrics FILE` keeps it in a file that Prometheus' node exporter collects.

| metric | kind | meaning |
|---|---|---|
"""
_OF_NOTIFIER = """
## Of the notifier

The notifier answers on `metrics.port` of its own machine: `/metrics`. Counters run since it started.

What to watch: `tinybeam_notifier_given_up_total` grows, and somebody was never told; `tinybeam_notifier_waiting` grows, and a receiver
does not answer.

| metric | kind | meaning |
|---|---|---|
"""
_OF_PIPELINE = """
## Of the pipeline

A pipeline on a machine of one's own answers on `--metrics_port` of that machine: `/metrics`. Counters run since it started, and are of
bundles that took effect, where the engine knows them.

| metric | kind | meaning |
|---|---|---|
"""
_OF_ENGINE = f"""
Engines show the same under names of their own, Dataflow on the page of the job and in Cloud Monitoring, in the namespace `{NAMESPACE}`;
a batch run ends with the counters. `late_appends` that grows says that a table is denied, missing or lacks a column: nothing is lost, its
messages are not acknowledged, and the log names the cause as an error. `system lag` and `data freshness` are Dataflow's own.

| metric | kind | meaning |
|---|---|---|
"""
_METRIC = re.compile(r"# HELP (\S+) (.*)\n# TYPE \S+ (\S+)")


def page() -> str:
    """Markdown: one row for each metric of a gateway that has told everything once."""
    of_gateway = _rows(exposition(HealthStatus(_heartbeat())))
    of_pipeline = "".join(f"| `{name}` | {kind} | {meaning} |\n" for name, (kind, meaning) in METRICS.items())
    of_notifier = _rows(notifier.exposition(MessageCounts(), [ReceiverCounts("pager")]))
    of_port = _rows(pipeline.exposition({}, pipeline.Ages()))
    of_broker = _rows("".join(Refused().exposition()))
    return (
        _INTRODUCTION + of_gateway + _OF_BROKER + of_broker + _OF_NOTIFIER + of_notifier + _OF_PIPELINE + of_port + _OF_ENGINE + of_pipeline
    )


def _rows(exposed: str) -> str:
    return "".join(f"| `{name}` | {kind} | {meaning} |\n" for name, meaning, kind in _METRIC.findall(exposed))


def _heartbeat() -> Heartbeat:
    return Heartbeat(**{column.name: _value(column) for column in columns(Heartbeat)})


def _value(column: Column) -> Any:
    """Any value of the column's type: what counts is that it is there."""
    values: dict[str, Any] = {"int64": 0, "float64": 0.0, "bool": False, "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "string": ""}
    return [] if column.repeated else values.get(column.type)
