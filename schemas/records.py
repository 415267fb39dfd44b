"""The records: the only hand-written schema. Arrow fields, BigQuery DDL and docs/tables/ are materialised from it.

Every field is `Annotated[type, Doc(text, unit)]`. Names are the column names everywhere. All times are UTC.
A field with `by="pipeline"` is not on the wire: the pipeline adds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

SCHEMA_VERSION = "1.1"
"""Version of the wire records, `major.minor`. A column that an older gateway may lack (`Doc.since`) is a minor, all else a major change."""


class Doc(NamedTuple):
    """What a field means, for docs and column descriptions."""

    text: str
    unit: str = ""
    by: str = "gateway"
    since: str = "1.0"
    """Schema version that brought it: a batch of an older one comes without, and the column is then null, or empty if it is repeated."""


class Table(NamedTuple):
    """Where a record is stored: an append-only, versioned BigQuery table."""

    name: str
    partition: str | None
    """Timestamp column whose day is the partition."""
    cluster: tuple[str, ...]
    identified: bool
    """Whether the columns of `RowIdentity` come first."""


class TimeQuality(StrEnum):
    """How far an event time can be trusted, best first."""

    SYNCED = "synced"
    ESTIMATED = "estimated"
    UNTRUSTED = "untrusted"


class Severity(StrEnum):
    """How much an event or an alert matters, least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Cause(StrEnum):
    """What raised an event."""

    THRESHOLD = "threshold"
    LABEL = "label"


class AlertChange(StrEnum):
    """What a row of an alert says happened to it."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


class ThresholdState(StrEnum):
    """Where a channel is by one of its thresholds."""

    NORMAL = "normal"
    LOW = "low"
    HIGH = "high"


class LinkState(StrEnum):
    """Whether a gateway's connection to its uplink or its broker stands."""

    ONLINE = "online"
    OFFLINE = "offline"


class Kind(StrEnum):
    """What a batch can carry: the word in its envelope."""

    SUMMARIES = "summaries"
    INFERENCES = "inferences"
    EVENTS = "events"
    HEARTBEATS = "heartbeats"
    REJECTS = "rejects"


def _any(values: type[StrEnum]) -> str:
    """`a, b or c`."""
    *others, last = values
    return f"{', '.join(others)} or {last}"


_DEVICE = Doc("Device identifier, unique in the fleet")
_WINDOW_START = Doc("Start of the tumbling event-time window, inclusive", "UTC")
_WINDOW_SECONDS = Doc("Length of the window", "s")
_TIME_QUALITY = Doc(f"How far the event time can be trusted: {_any(TimeQuality)}")


@dataclass(frozen=True, slots=True)
class RowIdentity:
    """Columns that the pipeline puts before every fact: the identity of the row and where it belongs."""

    batch_id: Annotated[str, Doc("Name of the batch that carried the row: gateway_id:epoch:seq", by="pipeline")]
    row: Annotated[int, Doc("Position of the row in its batch, from 0; (batch_id, row) identifies a row for ever", by="pipeline")]
    gateway_id: Annotated[str, Doc("Gateway that sent the row", by="pipeline")]
    site_id: Annotated[str | None, Doc("Site of the device at the time of the row, from the registry", by="pipeline")]
    received_time: Annotated[datetime, Doc("When Pub/Sub received the batch; in batch mode when it was cut", "UTC", by="pipeline")]
    extras: Annotated[str | None, Doc("JSON object of columns that this version does not know, null when none", by="pipeline")]


@dataclass(frozen=True, slots=True)
class Reading:
    """One sensor message as it arrived. Lives in the gateway's journal only; the cloud sees summaries of it."""

    device_id: Annotated[str, _DEVICE]
    event_time: Annotated[datetime, Doc("The sensor's time of measurement; the gateway's time of arrival if it sent none", "UTC")]
    arrived_time: Annotated[datetime, Doc("When the gateway received it", "UTC")]
    time_quality: Annotated[str, _TIME_QUALITY]
    boot: Annotated[str | None, Doc("Name of the sensor's start-up, so that seq may begin anew")]
    seq: Annotated[int | None, Doc("The sensor's own sequence number; a gap in it is a lost reading")]
    values: Annotated[dict[str, float], Doc("Value of each channel, in the channel's unit; of a frame, its time-domain features")]
    bands: Annotated[
        tuple[float, ...] | None, Doc("Energies of a frame in the bands of its model's spectrum, else null", "log10 of unit squared")
    ]


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of one channel of one device over one window. Mergeable: partial summaries of a window add up."""

    device_id: Annotated[str, _DEVICE]
    channel: Annotated[str, Doc("Name of the measured quantity")]
    unit: Annotated[str, Doc("Unit of min, max, last and sum")]
    window_start: Annotated[datetime, _WINDOW_START]
    window_seconds: Annotated[int, Doc("Length of the window, or of the unchanged windows that were held and sent as one", "s")]
    count: Annotated[int, Doc("Number of values")]
    sum: Annotated[float, Doc("Sum of the values", "channel unit")]
    m2: Annotated[float, Doc("Sum of squared differences from the mean (Welford); variance = m2 / count", "channel unit squared")]
    min: Annotated[float, Doc("Smallest value", "channel unit")]
    max: Annotated[float, Doc("Largest value", "channel unit")]
    last: Annotated[float, Doc("Value with the latest event time", "channel unit")]
    last_time: Annotated[datetime, Doc("Event time of `last`", "UTC")]
    seq_ranges: Annotated[
        tuple[int, ...],
        Doc("Sensor sequence numbers in it as [first, last, first, last, ...], ascending, inclusive; empty if the sensor sends none"),
    ]
    sketch: Annotated[
        tuple[int, ...],
        Doc(
            "Quantile sketch: for each bucket of values bucket * 2^40 + count, ascending; ask it with tinybeam.quantile. Empty: not known",
            since="1.1",
        ),
    ]
    late: Annotated[bool, Doc("True for a partial summary of readings that came after the window was cut")]
    time_quality: Annotated[str, Doc(f"Worst time quality among the readings: {_any(TimeQuality)}")]
    clock_offset_ms: Annotated[
        float | None, Doc("Median of arrival time minus sensor time in the (last) window, null if the sensor sends no time", "ms")
    ]


@dataclass(frozen=True, slots=True)
class Inference:
    """What one model said about one window of one device."""

    device_id: Annotated[str, _DEVICE]
    window_start: Annotated[datetime, _WINDOW_START]
    window_seconds: Annotated[int, _WINDOW_SECONDS]
    model: Annotated[str, Doc("Name of the model")]
    model_version: Annotated[str, Doc("Version of the model bundle")]
    model_sha256: Annotated[str, Doc("SHA-256 of model.tflite, hexadecimal")]
    runtime: Annotated[str, Doc("Inference runtime and its version")]
    label: Annotated[str, Doc("The model's verdict, one of the bundle's labels")]
    score: Annotated[float, Doc("The model's main output, for example days until stress", "the bundle's unit")]
    uncertainty: Annotated[float, Doc("Width of the model's central 80 % interval of the score", "the bundle's unit")]
    features: Annotated[tuple[float, ...], Doc("The model's inputs in the order of the bundle's recipe, before quantisation")]
    time_quality: Annotated[str, _TIME_QUALITY]


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth sending at once: a threshold crossed or a label changed."""

    device_id: Annotated[str, _DEVICE]
    event_time: Annotated[datetime, Doc("When it happened, by the reading or the end of the window", "UTC")]
    cause: Annotated[str, Doc(_any(Cause))]
    rule: Annotated[str, Doc("Name of the threshold, or of the model whose label changed")]
    channel: Annotated[str | None, Doc("Channel of the threshold, null for a label")]
    previous_state: Annotated[str | None, Doc(f"State before: {_any(ThresholdState)}, or the former label; null at the first label")]
    state: Annotated[str, Doc("State now")]
    value: Annotated[float, Doc("The value or score that changed the state", "channel or bundle unit")]
    threshold: Annotated[float | None, Doc("The threshold that was crossed, null for a label", "channel unit")]
    severity: Annotated[str, Doc(_any(Severity))]
    time_quality: Annotated[str, _TIME_QUALITY]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The gateway's own state once a minute, with its ledger. Counters run since the epoch (the store) began."""

    heartbeat_time: Annotated[datetime, Doc("When it was written", "UTC")]
    started_time: Annotated[datetime, Doc("When the gateway process started", "UTC")]
    version: Annotated[str, Doc("Version of the gateway software")]
    runtime: Annotated[str, Doc("Inference runtime and its version")]
    models: Annotated[str, Doc("JSON object: model name to SHA-256 of the running model")]
    time_quality: Annotated[str, Doc("How far the gateway's clock can be trusted")]
    readings_stored: Annotated[int, Doc("Readings committed to the journal and acknowledged")]
    readings_repeated: Annotated[int, Doc("Readings that were already stored, acknowledged again")]
    readings_rejected: Annotated[int, Doc("Readings or messages set aside as rejects")]
    readings_summarised: Annotated[int, Doc("Stored readings whose windows are cut into batches")]
    readings_dropped: Annotated[int, Doc("Stored readings lost because the store was full")]
    batches_cut: Annotated[int, Doc("Batches cut so far: the highest seq given out before this one")]
    batches_confirmed: Annotated[int, Doc("Batches that Pub/Sub has confirmed")]
    batches_pending: Annotated[int, Doc("Batches waiting in the outbox")]
    batches_dropped: Annotated[int, Doc("Batches dropped because the store was full")]
    dropped_ranges: Annotated[tuple[int, ...], Doc("Batch seqs dropped, as [first, last, first, last, ...]")]
    oldest_pending_time: Annotated[datetime | None, Doc("When the oldest waiting batch was cut, null if none waits", "UTC")]
    store_bytes: Annotated[int, Doc("Size of the store on disk, write-ahead log included", "byte")]
    store_bytes_max: Annotated[int, Doc("Bound of the store", "byte")]
    devices_seen: Annotated[int, Doc("Devices heard since the process started")]
    uplink_state: Annotated[str, Doc(_any(LinkState))]
    broker_state: Annotated[str, Doc(_any(LinkState))]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One Pub/Sub attribute of a message that was not understood."""

    key: Annotated[str, Doc("Attribute name", by="pipeline")]
    value: Annotated[str, Doc("Attribute value", by="pipeline")]


@dataclass(frozen=True, slots=True)
class Reject:
    """Anything not understood, with its original bytes. Begins with the columns of Google's dead-letter tables."""

    timestamp: Annotated[datetime, Doc("When it was set aside", "UTC")]
    payloadString: Annotated[str | None, Doc("payloadBytes as text if it is valid UTF-8, else null", by="pipeline")]  # noqa: N815
    payloadBytes: Annotated[bytes, Doc("The original bytes, unchanged")]  # noqa: N815
    attributes: Annotated[tuple[Attribute, ...], Doc("Pub/Sub attributes of the message", by="pipeline")]
    errorMessage: Annotated[str, Doc("What was wrong, in one sentence")]  # noqa: N815
    stacktrace: Annotated[str | None, Doc("Where it was found, for faults of ours", by="pipeline")]
    reject_id: Annotated[str, Doc("Identity: batch_id:row for rejects of a gateway, else SHA-256 over attributes and bytes", by="pipeline")]
    stage: Annotated[str, Doc("Who set it aside: edge.intake, pipeline.decode, pipeline.validate, pipeline.enrich, pipeline.warehouse")]
    reason: Annotated[str, Doc("Short fixed word to group by, for example malformed_json")]
    device_id: Annotated[str | None, Doc("Device, if known")]
    topic: Annotated[str | None, Doc("MQTT topic, if it came from a sensor")]
    gateway_id: Annotated[str | None, Doc("Gateway, if known", by="pipeline")]
    batch_id: Annotated[str | None, Doc("Batch, if known", by="pipeline")]
    versions: Annotated[str | None, Doc("JSON object: software and schema versions that took part", by="pipeline")]


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as it was received: the transport's own record, for completeness and cost."""

    batch_id: Annotated[str, Doc("Name of the batch: gateway_id:epoch:seq", by="pipeline")]
    gateway_id: Annotated[str, Doc("Gateway that cut it", by="pipeline")]
    epoch: Annotated[int, Doc("Random name of the gateway's store; seq starts anew with it", by="pipeline")]
    seq: Annotated[int, Doc("Number of the batch in its epoch, from 1, without gaps", by="pipeline")]
    kind: Annotated[str, Doc(f"Kind of its rows: {_any(Kind)}", by="pipeline")]
    schema_version: Annotated[str, Doc("Version of the records, major.minor", by="pipeline")]
    row_count: Annotated[int, Doc("Number of rows", by="pipeline")]
    body_bytes: Annotated[int, Doc("Size as sent, compressed", "byte", by="pipeline")]
    raw_bytes: Annotated[int, Doc("Size of the Arrow stream before compression", "byte", by="pipeline")]
    priority: Annotated[int, Doc("Higher goes first", by="pipeline")]
    cut_time: Annotated[datetime, Doc("When the gateway cut it", "UTC", by="pipeline")]
    time_min: Annotated[datetime, Doc("Earliest event time of its rows", "UTC", by="pipeline")]
    time_max: Annotated[datetime, Doc("Latest event time of its rows", "UTC", by="pipeline")]
    received_time: Annotated[datetime, Doc("When Pub/Sub received it; in batch mode when it was cut", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True)
class SiteWindow:
    """A rollup of one channel over one site and window. A later revision replaces an earlier one."""

    site_id: Annotated[str, Doc("Site that the rollup is of", by="pipeline")]
    channel: Annotated[str, Doc("Name of the measured quantity", by="pipeline")]
    unit: Annotated[str, Doc("Unit of min, max and sum", by="pipeline")]
    window_start: Annotated[datetime, Doc("Start of the window, inclusive", "UTC", by="pipeline")]
    window_seconds: Annotated[int, Doc("Length of the window: 60 or 3600", "s", by="pipeline")]
    count: Annotated[int, Doc("Number of values", by="pipeline")]
    sum: Annotated[float, Doc("Sum of the values", "channel unit", by="pipeline")]
    m2: Annotated[float, Doc("Sum of squared differences from the mean", "channel unit squared", by="pipeline")]
    min: Annotated[float, Doc("Smallest value", "channel unit", by="pipeline")]
    max: Annotated[float, Doc("Largest value", "channel unit", by="pipeline")]
    summaries: Annotated[int, Doc("Number of (partial) device summaries in it", by="pipeline")]
    revision: Annotated[int, Doc("0 for the first result of a window, then rising", by="pipeline")]
    timing: Annotated[str, Doc("early, on_time, late or batch: when the result was given, by the watermark", by="pipeline")]
    as_of: Annotated[datetime, Doc("When the result was computed; the latest wins", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True)
class DirtyWindow:
    """An hour of a site that got facts too late for its rollup: to be computed anew from the facts."""

    site_id: Annotated[str, Doc("Site that got the late facts", by="pipeline")]
    window_start: Annotated[datetime, Doc("Start of the hour, inclusive", "UTC", by="pipeline")]
    window_seconds: Annotated[int, Doc("Length of the window: 3600", "s", by="pipeline")]
    marked_time: Annotated[datetime, Doc("received_time of the late batch", "UTC", by="pipeline")]
    batch_id: Annotated[str, Doc("The batch that came too late", by="pipeline")]


@dataclass(frozen=True, slots=True)
class Irrigation:
    """Water balance of one field and day after FAO-56, from measured moisture. A later revision replaces an earlier one."""

    site_id: Annotated[str, Doc("Site that has a soil and a crop", by="pipeline")]
    day: Annotated[datetime, Doc("Start of the day, inclusive", "UTC", by="pipeline")]
    crop: Annotated[str, Doc("Crop of the registry", by="pipeline")]
    soil: Annotated[str, Doc("Soil texture of the registry", by="pipeline")]
    moisture: Annotated[float, Doc("Mean of the site's readings in the day's latest hour, taken for the root zone", "m3/m3", by="pipeline")]
    moisture_time: Annotated[datetime, Doc("End of the hour that `moisture` is of", "UTC", by="pipeline")]
    temperature_min: Annotated[float | None, Doc("Lowest hourly mean of the day so far", "degC", by="pipeline")]
    temperature_max: Annotated[float | None, Doc("Highest hourly mean of the day so far", "degC", by="pipeline")]
    reference_mm: Annotated[float | None, Doc("Reference evapotranspiration ET0 of the day", "mm", by="pipeline")]
    crop_coefficient: Annotated[float, Doc("Crop coefficient Kc of the day", by="pipeline")]
    root_depth: Annotated[float, Doc("Depth of the root zone", "m", by="pipeline")]
    available_mm: Annotated[float, Doc("Total available water TAW of the root zone", "mm", by="pipeline")]
    readily_available_mm: Annotated[float, Doc("Readily available water RAW: a greater depletion is stress", "mm", by="pipeline")]
    depletion_mm: Annotated[float, Doc("Root-zone depletion Dr: what is missing to field capacity", "mm", by="pipeline")]
    need_mm: Annotated[float, Doc("Net irrigation need: the depletion once the stress is near, else 0", "mm", by="pipeline")]
    need_m3: Annotated[float | None, Doc("The need over the area of the site, null without an area", "m3", by="pipeline")]
    days_until_stress: Annotated[
        float | None, Doc("Days until stress without rain, 0 in stress, at most 14, null if unknown", "d", by="pipeline")
    ]
    assumed: Annotated[str | None, Doc("What the registry or the sensors did not say and was assumed, null if nothing", by="pipeline")]
    revision: Annotated[int, Doc("0 for the first result of a day, then rising", by="pipeline")]
    as_of: Annotated[datetime, Doc("When the result was computed; the latest wins", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True)
class Alert:
    """What happened to an alert: opened, updated or resolved. All rows of an alert share `alert_id`; the highest revision is its state."""

    alert_id: Annotated[str, Doc("Identity of the alert: rule:subject:opened_time in microseconds", by="pipeline")]
    rule: Annotated[str, Doc("Name of the rule in the registry", by="pipeline")]
    source: Annotated[str, Doc("What the rule watches, for example event or silence", by="pipeline")]
    subject: Annotated[str, Doc("Device, site or gateway that it is about; at most one alert of a rule is open for it", by="pipeline")]
    site_id: Annotated[str | None, Doc("Site of the subject, null for a gateway", by="pipeline")]
    device_id: Annotated[str | None, Doc("Device, null for a site or gateway", by="pipeline")]
    severity: Annotated[str, Doc(_any(Severity), by="pipeline")]
    state: Annotated[str, Doc(_any(AlertChange), by="pipeline")]
    opened_time: Annotated[datetime, Doc("Event time of the opening", "UTC", by="pipeline")]
    event_time: Annotated[datetime, Doc("Event time of what this row shows", "UTC", by="pipeline")]
    value: Annotated[float | None, Doc("The value that led to it", "the source's unit", by="pipeline")]
    threshold: Annotated[float | None, Doc("The rule's limit, null if it has none", "the source's unit", by="pipeline")]
    message: Annotated[str, Doc("One sentence for the person who is notified", by="pipeline")]
    historical: Annotated[bool, Doc("True if it comes from backlog: nobody is notified", by="pipeline")]
    revision: Annotated[int, Doc("0 for the opening, then rising", by="pipeline")]
    as_of: Annotated[datetime, Doc("When the row was made", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True)
class Device:
    """Registry: where a device stood from one time to another."""

    device_id: Annotated[str, _DEVICE._replace(by="registry")]
    kind: Annotated[str, Doc("Kind of sensor, for example soil", by="registry")]
    site_id: Annotated[str, Doc("Site it stands on", by="registry")]
    valid_from: Annotated[datetime, Doc("From when this row holds, inclusive", "UTC", by="registry")]
    valid_to: Annotated[datetime | None, Doc("Until when it holds, exclusive; null for now", "UTC", by="registry")]


@dataclass(frozen=True, slots=True)
class Site:
    """Registry: a field, a hall, a barn."""

    site_id: Annotated[str, Doc("Site identifier", by="registry")]
    name: Annotated[str, Doc("Name that people use", by="registry")]
    latitude: Annotated[float | None, Doc("Latitude, WGS 84", "degree", by="registry")]
    longitude: Annotated[float | None, Doc("Longitude, WGS 84", "degree", by="registry")]
    area_m2: Annotated[float | None, Doc("Area of the field or hall", "m2", by="registry")]
    soil: Annotated[str | None, Doc("Soil texture, for a field", by="registry")]
    crop: Annotated[str | None, Doc("Crop, for a field", by="registry")]
    planted: Annotated[datetime | None, Doc("When the crop was sown, for a field", "UTC", by="registry")]
    valid_from: Annotated[datetime, Doc("From when this row holds, inclusive", "UTC", by="registry")]
    valid_to: Annotated[datetime | None, Doc("Until when it holds, exclusive; null for now", "UTC", by="registry")]


KINDS: dict[str, type] = {
    Kind.SUMMARIES: Summary,
    Kind.INFERENCES: Inference,
    Kind.EVENTS: Event,
    Kind.HEARTBEATS: Heartbeat,
    Kind.REJECTS: Reject,
}
"""The record of each kind."""

PRIORITY: dict[str, int] = {Kind.REJECTS: 0, Kind.SUMMARIES: 1, Kind.INFERENCES: 2, Kind.HEARTBEATS: 3, Kind.EVENTS: 4}
"""Order of sending; higher goes first, and is dropped last."""

EVENT_TIME: dict[str, str] = {
    Kind.SUMMARIES: "window_start",
    Kind.INFERENCES: "window_start",
    Kind.EVENTS: "event_time",
    Kind.HEARTBEATS: "heartbeat_time",
    Kind.REJECTS: "timestamp",
}
"""The column that is a row's event time, by kind."""

TABLES: dict[type, Table] = {
    Summary: Table("summaries_v1", "window_start", ("device_id", "channel"), identified=True),
    Inference: Table("inferences_v1", "window_start", ("device_id", "model"), identified=True),
    Event: Table("events_v1", "event_time", ("device_id", "rule"), identified=True),
    Heartbeat: Table("heartbeats_v1", "heartbeat_time", ("gateway_id",), identified=True),
    Reject: Table("rejects_v1", "timestamp", ("reason",), identified=False),
    Batch: Table("batches_v1", "cut_time", ("gateway_id", "epoch"), identified=False),
    SiteWindow: Table("site_windows_v1", "window_start", ("site_id", "channel"), identified=False),
    DirtyWindow: Table("dirty_windows_v1", "window_start", ("site_id",), identified=False),
    Irrigation: Table("irrigation_v1", "day", ("site_id",), identified=False),
    Alert: Table("alerts_v1", "opened_time", ("rule", "subject"), identified=False),
    Device: Table("devices_v1", None, ("device_id",), identified=False),
    Site: Table("sites_v1", None, ("site_id",), identified=False),
}
"""Every table of the warehouse."""
