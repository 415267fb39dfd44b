"""Declares what the transport adds: the identity of a row, the record of a batch, and what was not understood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from schemas.records.column import Doc
from schemas.records.vocabulary import Kind, any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIdentity:
    """Holds the columns that the pipeline puts before every fact: the identity of the row and where it belongs."""

    batch_id: Annotated[str, Doc("Name of the batch that carried the row: gateway_id:epoch:seq", by="pipeline")]
    row: Annotated[int, Doc("Position of the row in its batch, from 0; (batch_id, row) identifies a row for ever", by="pipeline")]
    gateway_id: Annotated[str, Doc("Gateway that sent the row", by="pipeline")]
    site_id: Annotated[str | None, Doc("Site of the device at the time of the row, from the registry", by="pipeline")] = None
    received_time: Annotated[datetime, Doc("When Pub/Sub received the batch; in batch mode when it was cut", "UTC", by="pipeline")]
    extras: Annotated[str | None, Doc("JSON object of columns that this version does not know, null when none", by="pipeline")] = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """Is one Pub/Sub attribute of a message that was not understood."""

    key: Annotated[str, Doc("Attribute name", by="pipeline")]
    value: Annotated[str, Doc("Attribute value", by="pipeline")]


@dataclass(frozen=True, slots=True)
class RefusedReadings:
    """Names readings in rows that were set aside: they arrived, so they are not missing."""

    device_id: Annotated[str, Doc("Device", by="pipeline")]
    first_seq: Annotated[int, Doc("First of the sensor's own numbers", by="pipeline")]
    last_seq: Annotated[int, Doc("Last of them, inclusive", by="pipeline")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row is anything that was not understood, with its original bytes. It begins with the columns of Google's dead-letter tables."""

    timestamp: Annotated[datetime, Doc("When it was set aside", "UTC")]
    payloadString: Annotated[str | None, Doc("payloadBytes as text if it is valid UTF-8, else null", by="pipeline")] = None  # noqa: N815
    payloadBytes: Annotated[bytes, Doc("The original bytes, unchanged")]  # noqa: N815
    attributes: Annotated[tuple[Attribute, ...], Doc("Pub/Sub attributes of the message", by="pipeline")]
    errorMessage: Annotated[str, Doc("What was wrong, in one sentence")]  # noqa: N815
    stacktrace: Annotated[str | None, Doc("Where it was found, for faults of ours", by="pipeline")] = None
    reject_id: Annotated[str, Doc("Identity: batch_id:row for rejects of a gateway, else SHA-256 over attributes and bytes", by="pipeline")]
    stage: Annotated[str, Doc("Who set it aside: edge.intake, pipeline.decode, pipeline.validate, pipeline.enrich, pipeline.warehouse")]
    reason: Annotated[str, Doc("Short fixed word to group by, for example malformed_json")]
    device_id: Annotated[str | None, Doc("Device, if known")] = None
    topic: Annotated[str | None, Doc("MQTT topic, if it came from a sensor")] = None
    gateway_id: Annotated[str | None, Doc("Gateway, if known", by="pipeline")] = None
    batch_id: Annotated[str | None, Doc("Batch, if known", by="pipeline")] = None
    versions: Annotated[str | None, Doc("JSON object: software and schema versions that took part", by="pipeline")] = None
    seq: Annotated[int | None, Doc("The sensor's own number of the reading, if it can be read", since="1.2")] = None
    readings: Annotated[
        tuple[RefusedReadings, ...], Doc("Readings whose summaries the pipeline set aside, by their sensors' own numbers", by="pipeline")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A row says that rows of a reject became facts by a replay. Rows are only added; of one reject the largest rows_in counts."""

    reject_id: Annotated[str, Doc("Identity of the reject", by="pipeline")]
    replayed_time: Annotated[datetime, Doc("When the replay ran", "UTC", by="pipeline")]
    rows_in: Annotated[int, Doc("How many of its rows are facts since then", by="pipeline")]
    rows_left: Annotated[int, Doc("How many of its rows are still set aside", by="pipeline")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A row is one batch as it was received: the transport's own record, for completeness and cost."""

    batch_id: Annotated[str, Doc("Name of the batch: gateway_id:epoch:seq", by="pipeline")]
    gateway_id: Annotated[str, Doc("Gateway that cut it", by="pipeline")]
    epoch: Annotated[int, Doc("Random name of the gateway's store; seq starts anew with it", by="pipeline")]
    seq: Annotated[int, Doc("Number of the batch in its epoch, from 1, without gaps", by="pipeline")]
    kind: Annotated[str, Doc(f"Kind of its rows: {any_of(Kind)}", by="pipeline")]
    schema_version: Annotated[str, Doc("Version of the records, major.minor", by="pipeline")]
    row_count: Annotated[int, Doc("Number of rows", by="pipeline")]
    body_bytes: Annotated[int, Doc("Size as sent, compressed", "byte", by="pipeline")]
    raw_bytes: Annotated[int, Doc("Size before compression", "byte", by="pipeline")]
    priority: Annotated[int, Doc("Higher goes first", by="pipeline")]
    cut_time: Annotated[datetime, Doc("When the gateway cut it", "UTC", by="pipeline")]
    time_min: Annotated[datetime, Doc("Earliest event time of its rows", "UTC", by="pipeline")]
    time_max: Annotated[datetime, Doc("Latest event time of its rows", "UTC", by="pipeline")]
    received_time: Annotated[datetime, Doc("When Pub/Sub received it; in batch mode when it was cut", "UTC", by="pipeline")]
    body_digest: Annotated[
        int | None,
        Doc("CRC-32 of its body as sent: two of one batch_id are of two boxes that share a name; null before 0.3", by="pipeline"),
    ] = None
