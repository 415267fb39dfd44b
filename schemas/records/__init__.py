"""The records are the only hand-written schema: Arrow fields, BigQuery DDL and docs/tables/ are materialised from them.

A module holds the records of one writer; this one says which kinds of batches carry them and which tables store them.

Every field is `Annotated[type, Doc(text, unit)]`. Names are the column names everywhere. All times are UTC.
A field with `by="pipeline"` is not on the wire: the pipeline adds it.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.records.column import Doc
from schemas.records.derived import Alert, DirtyWindow, Irrigation, IrrigationV1, Probe, Recomputation, SiteWindow
from schemas.records.gateway import SCHEMA_VERSION, Event, Heartbeat, Inference, JournalReading, Summary
from schemas.records.learning import Label, ModelReference, ReleaseDecision, Sample
from schemas.records.registry import Device, GatewayKey, RuleDefinition, Site
from schemas.records.transport import Attribute, Batch, RefusedReadings, Reject, Replay, RowIdentity
from schemas.records.vocabulary import (
    AlertChange,
    Answer,
    Cause,
    ChannelKind,
    Kind,
    LinkState,
    SampleReason,
    Severity,
    ThresholdState,
    TimeQuality,
    Timing,
)

__all__ = [
    "KINDS",
    "SCHEMA_VERSION",
    "TABLES",
    "Alert",
    "AlertChange",
    "Answer",
    "Attribute",
    "Batch",
    "Cause",
    "ChannelKind",
    "Device",
    "DirtyWindow",
    "Doc",
    "Event",
    "GatewayKey",
    "Heartbeat",
    "Inference",
    "Irrigation",
    "IrrigationV1",
    "JournalReading",
    "Kind",
    "KindOfRows",
    "Label",
    "LinkState",
    "ModelReference",
    "Probe",
    "Recomputation",
    "RefusedReadings",
    "Reject",
    "ReleaseDecision",
    "Replay",
    "RowIdentity",
    "RuleDefinition",
    "Sample",
    "SampleReason",
    "Severity",
    "Site",
    "SiteWindow",
    "Summary",
    "Table",
    "ThresholdState",
    "TimeQuality",
    "Timing",
]


class KindOfRows(NamedTuple):
    """Says what batches of one kind carry, and in which order they are sent."""

    record: type
    event_time: str
    """The column that is a row's event time."""
    priority: int
    """Higher goes first, and is dropped last. What nobody waits for shares the lowest."""


class Table(NamedTuple):
    """Says where a record is stored: in an append-only, versioned BigQuery table."""

    name: str
    partition: str | None
    """Timestamp column whose day is the partition."""
    cluster: tuple[str, ...]
    identified: bool
    """Whether the columns of `RowIdentity` come first."""


KINDS: dict[str, KindOfRows] = {
    Kind.SUMMARIES: KindOfRows(Summary, "window_start", priority=1),
    Kind.INFERENCES: KindOfRows(Inference, "window_start", priority=2),
    Kind.EVENTS: KindOfRows(Event, "event_time", priority=4),
    Kind.HEARTBEATS: KindOfRows(Heartbeat, "heartbeat_time", priority=3),
    Kind.REJECTS: KindOfRows(Reject, "timestamp", priority=0),
    Kind.SAMPLES: KindOfRows(Sample, "window_start", priority=0),
}
"""Every kind of batch, by the word in its envelope."""

TABLES: dict[type, Table] = {
    Summary: Table("summaries_v1", "window_start", ("device_id", "channel"), identified=True),
    Inference: Table("inferences_v1", "window_start", ("model", "device_id"), identified=True),
    Event: Table("events_v1", "event_time", ("device_id", "rule"), identified=True),
    Heartbeat: Table("heartbeats_v1", "heartbeat_time", ("gateway_id",), identified=True),
    Sample: Table("samples_v1", "window_start", ("model", "device_id"), identified=True),
    Reject: Table("rejects_v1", "timestamp", ("reason",), identified=False),
    Replay: Table("replays_v1", "replayed_time", ("reject_id",), identified=False),
    Batch: Table("batches_v1", "cut_time", ("gateway_id", "epoch"), identified=False),
    SiteWindow: Table("site_windows_v1", "window_start", ("site_id", "channel"), identified=False),
    DirtyWindow: Table("dirty_windows_v1", "window_start", ("site_id",), identified=False),
    Recomputation: Table("recomputes_v1", None, ("started_time",), identified=False),
    Irrigation: Table("irrigation_v2", "day", ("site_id",), identified=False),
    IrrigationV1: Table("irrigation_v1", "day", ("site_id",), identified=False),
    Alert: Table("alerts_v1", "opened_time", ("rule", "subject"), identified=False),
    Label: Table("labels_v1", "event_time", ("answer", "site_id"), identified=False),
    ModelReference: Table("model_references_v1", None, ("model_sha256",), identified=False),
    ReleaseDecision: Table("release_decisions_v1", None, ("model", "release"), identified=False),
    Device: Table("devices_v1", None, ("device_id",), identified=False),
    Site: Table("sites_v1", None, ("site_id",), identified=False),
    GatewayKey: Table("gateways_v1", None, ("gateway_id",), identified=False),
    RuleDefinition: Table("rules_v1", None, ("name",), identified=False),
}
"""Every table of the warehouse."""
