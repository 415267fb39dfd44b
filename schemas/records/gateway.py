"""Declares what a gateway writes: the reading of its journal, and what its batches carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from schemas.records.column import DEVICE, Doc
from schemas.records.vocabulary import Cause, ChannelKind, LinkState, Severity, ThresholdState, TimeQuality, any_of

SCHEMA_VERSION = "1.3"
"""Version of the wire records, `major.minor`. A column that an older gateway may lack (`Doc.since`) is a minor, all else a major change.

A version may bring a dictionary (schemas/dictionary): 1.3 brought the first, and bodies in columns; its records are those of 1.2, and
summaries of channels that are states or counters.
"""

_WINDOW_START = Doc("Start of the tumbling event-time window, inclusive", "UTC")
_WINDOW_SECONDS = Doc("Length of the window", "s")
_TIME_QUALITY = Doc(f"How far the event time can be trusted: {any_of(TimeQuality)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReading:
    """A row is one sensor message as it arrived. It lives in the gateway's journal only; the cloud sees summaries of it."""

    device_id: Annotated[str, DEVICE]
    event_time: Annotated[datetime, Doc("The sensor's time of measurement; the gateway's time of arrival if it sent none", "UTC")]
    arrived_time: Annotated[datetime, Doc("When the gateway received it", "UTC")]
    time_quality: Annotated[str, _TIME_QUALITY]
    boot: Annotated[str | None, Doc("Name of the sensor's start-up, so that seq may begin anew")] = None
    seq: Annotated[int | None, Doc("The sensor's own sequence number; a gap in it is a lost reading")] = None
    values: Annotated[dict[str, float], Doc("Value of each channel, in the channel's unit; of a frame, its time-domain features")]
    bands: Annotated[
        tuple[float, ...] | None, Doc("Energies of a frame in the bands of its model's spectrum, else null", "log10 of unit squared")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A row holds the statistics of one channel of one device over one window. Partial summaries of a window add up."""

    device_id: Annotated[str, DEVICE]
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
    time_quality: Annotated[str, Doc(f"Worst time quality among the readings: {any_of(TimeQuality)}")]
    clock_offset_ms: Annotated[
        float | None, Doc("Median of arrival time minus sensor time in the (last) window, null if the sensor sends no time", "ms")
    ] = None
    fidelity: Annotated[
        int | None,
        Doc(
            "The gateway's store was nearly full, so windows were merged that lie in one interval of this length: 900 or 3600. "
            "Null: they are as they were closed",
            "s",
            since="1.3",
            where_used=True,
        ),
    ] = None
    channel_kind: Annotated[
        str | None, Doc(f"{any_of(ChannelKind)}: what the channel is, null if it is a number", since="1.3", where_used=True)
    ] = None
    states: Annotated[
        str | None,
        Doc("Of a state: its names, with commas between; a value is the position of its name, from 0", since="1.3", where_used=True),
    ] = None
    wraps_at: Annotated[
        float | None, Doc("Of a counter that wraps: where it begins at 0 again, else null", "channel unit", since="1.3", where_used=True)
    ] = None
    point_offsets_us: Annotated[
        tuple[int, ...],
        Doc(
            "Of a state or a counter: times of its points since window_start, ascending, below 0 for what it was before; what was read "
            "between them changes nothing. Ask tinybeam.points_between",
            "us",
            since="1.3",
            where_used=True,
        ),
    ] = ()
    point_values: Annotated[
        tuple[float, ...], Doc("Of a state or a counter: the values of its points", "channel unit", since="1.3", where_used=True)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """A row says what one model found in one window of one device."""

    device_id: Annotated[str, DEVICE]
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
    model_release: Annotated[
        int | None,
        Doc("Number of the release that the model came by, null if the gateway's configuration names it", since="1.3", where_used=True),
    ] = None
    shadow: Annotated[
        bool | None,
        Doc(
            "True of a model that runs beside the one in force, to be compared with it: its verdict is nobody's. Else null",
            since="1.3",
            where_used=True,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row is worth sending at once: a threshold was crossed or a label changed."""

    device_id: Annotated[str, DEVICE]
    event_time: Annotated[datetime, Doc("When it happened, by the reading or the end of the window", "UTC")]
    cause: Annotated[str, Doc(any_of(Cause))]
    rule: Annotated[str, Doc("Name of the threshold, or of the model whose label changed")]
    channel: Annotated[str | None, Doc("Channel of the threshold, null for a label")] = None
    previous_state: Annotated[str | None, Doc(f"State before: {any_of(ThresholdState)}, or the former label; null at the first label")] = (
        None
    )
    state: Annotated[str, Doc("State now")]
    value: Annotated[float, Doc("The value or score that changed the state", "channel or bundle unit")]
    threshold: Annotated[float | None, Doc("The threshold that was crossed, null for a label", "channel unit")] = None
    severity: Annotated[str, Doc(any_of(Severity))]
    time_quality: Annotated[str, _TIME_QUALITY]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A row shows the gateway's own state at one time, with its ledger. Counters run since the epoch (the store) began."""

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
    dropped_ranges: Annotated[
        tuple[int, ...],
        Doc(
            "Batch seqs dropped, as [first, last, first, last, ...], at most 1,000 ranges: of more, the oldest are drawn together, with "
            "what lies between them and has been confirmed"
        ),
    ]
    batches_thinned: Annotated[
        int | None,
        Doc(
            "Batches merged into fewer with longer windows, because the store was nearly full: no reading is lost by that",
            since="1.3",
            where_used=True,
        ),
    ] = None
    thinned_ranges: Annotated[
        tuple[int, ...],
        Doc("Their seqs, as dropped_ranges has those dropped: what they held came under later seqs", since="1.3", where_used=True),
    ] = ()
    oldest_pending_time: Annotated[datetime | None, Doc("When the oldest waiting batch was cut, null if none waits", "UTC")] = None
    store_bytes: Annotated[int, Doc("Size of the store on disk, write-ahead log included", "byte")]
    store_bytes_max: Annotated[int, Doc("Bound of the store", "byte")]
    devices_seen: Annotated[int, Doc("Devices heard since the process started")]
    uplink_state: Annotated[str, Doc(any_of(LinkState))]
    broker_state: Annotated[str, Doc(any_of(LinkState))]
    listening_since_time: Annotated[
        datetime | None,
        Doc(
            "Since when it has heard the broker without interruption: no start, no lost broker, no sleep, no jump of its clock. "
            "Null while the broker is offline, and of a gateway that does not say so",
            "UTC",
            since="1.2",
        ),
    ] = None
    readings_over_limit: Annotated[
        int | None,
        Doc("Readings that were set aside, or some of their values, since a limit of [limits] was reached", since="1.3", where_used=True),
    ] = None
    readings_lost: Annotated[
        int | None,
        Doc(
            "Readings stored that were lost to the disk: the store or the end of its log was damaged, or the file was put back",
            since="1.3",
            where_used=True,
        ),
    ] = None
    devices_forgotten: Annotated[
        int | None, Doc("Devices forgotten, since they had been silent for long", since="1.3", where_used=True)
    ] = None
    earlier_epochs: Annotated[
        tuple[int, ...],
        Doc(
            "Earlier epochs whose batches the store has taken over, as [epoch, batches that wait in it, batches lost to damage, ...]: "
            "20 at most, those first of which most waits",
            since="1.3",
            where_used=True,
        ),
    ] = ()
    certificate_end_time: Annotated[
        datetime | None,
        Doc("When the certificate ends by which it enters the broker, null if it has none", "UTC", since="1.3", where_used=True),
    ] = None
    model_releases: Annotated[
        str | None,
        Doc("JSON object: model name to number of the release that runs, of those that came by one", since="1.3", where_used=True),
    ] = None
    releases_refused: Annotated[
        str | None,
        Doc(
            "JSON object: MODEL/NUMBER of a release to why the gateway does not run it: it failed its trial, or it fell back from it",
            since="1.3",
            where_used=True,
        ),
    ] = None
    inferences_failed: Annotated[int | None, Doc("Windows that got no verdict, since a model failed", since="1.3", where_used=True)] = None
    scoring_ms: Annotated[
        str | None,
        Doc(
            "JSON object: model name to how long it took to judge a window, on average since the heartbeat before, of those that judged",
            "ms",
            since="1.3",
            where_used=True,
        ),
    ] = None
    scoring_longest_ms: Annotated[
        str | None,
        Doc("JSON object: model name to how long its longest call took in that time", "ms", since="1.3", where_used=True),
    ] = None
    attested_batches: Annotated[
        str | None,
        Doc(
            "Batches that had arrived and that the gateway attests, as JSON: [{batches: [epoch, first, last, ...], sha256: of what they "
            "are}, ...]. `tinybeam pipeline attestations` holds it against the archive",
            since="1.3",
            where_used=True,
        ),
    ] = None
    attestation: Annotated[
        str | None, Doc("ECDSA signature of attested_batches by the gateway's key, in base64", since="1.3", where_used=True)
    ] = None
    releases_waiting: Annotated[
        str | None,
        Doc(
            "JSON object: MODEL/NUMBER of a release that is to run to why it does not yet: it cannot be had, or the machine was too "
            "slow for it. It is tried again",
            since="1.3",
            where_used=True,
        ),
    ] = None
