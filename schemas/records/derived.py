"""Declares what the pipeline computes from the facts: rollups of sites, irrigation needs, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from schemas.records.column import Doc
from schemas.records.vocabulary import AlertChange, Severity, Timing, any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteWindow:
    """A row rolls up one channel over one site and window. A later revision replaces an earlier one."""

    site_id: Annotated[str, Doc("Site that the rollup is of", by="pipeline")]
    channel: Annotated[str, Doc("Name of the measured quantity", by="pipeline")]
    unit: Annotated[str, Doc("Unit of min, max and sum", by="pipeline")]
    window_start: Annotated[datetime, Doc("Start of the window, inclusive", "UTC", by="pipeline")]
    window_seconds: Annotated[int, Doc("Length of the window: 60 or 3600", "s", by="pipeline")]
    count: Annotated[int, Doc("Number of values; 0 retracts the window: the view hides it", by="pipeline")]
    sum: Annotated[float, Doc("Sum of the values", "channel unit", by="pipeline")]
    m2: Annotated[float, Doc("Sum of squared differences from the mean", "channel unit squared", by="pipeline")]
    min: Annotated[float, Doc("Smallest value", "channel unit", by="pipeline")]
    max: Annotated[float, Doc("Largest value", "channel unit", by="pipeline")]
    summaries: Annotated[
        int, Doc("Number of (partial) device summaries that overlap it, counted or not: the most is known of all facts", by="pipeline")
    ]
    revision: Annotated[int, Doc("0 for the first result of a window, then rising", by="pipeline")]
    timing: Annotated[
        str, Doc(f"{any_of(Timing)}: when the result was given, by the watermark, or that it comes from the facts", by="pipeline")
    ]
    as_of: Annotated[datetime, Doc("When the result was computed; the latest wins", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True)
class DirtyWindow:
    """A row is an hour of a site that a run of the pipeline gave facts: its rollup is to be compared with all facts. Marks stay."""

    site_id: Annotated[str, Doc("Site that got facts", by="pipeline")]
    window_start: Annotated[datetime, Doc("Start of the hour, inclusive", "UTC", by="pipeline")]
    window_seconds: Annotated[int, Doc("Length of the window: 3600", "s", by="pipeline")]
    marked_time: Annotated[
        datetime, Doc("When the run marked it; a run marks an hour again when it gets facts 12 h later", "UTC", by="pipeline")
    ]
    batch_id: Annotated[str, Doc("A batch that brought facts of the hour", by="pipeline")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Is what one device of a field measured last of one channel, and why it is not believed."""

    device_id: Annotated[str, Doc("The device", by="pipeline")]
    channel: Annotated[str, Doc("moisture, temperature or rain", by="pipeline")]
    value: Annotated[float, Doc("Mean of its latest hour as it was sent, of rain the sum", "its unit", by="pipeline")]
    unit: Annotated[str, Doc("Unit of value, as it was declared", by="pipeline")]
    time: Annotated[datetime, Doc("End of its latest hour", "UTC", by="pipeline")]
    fault: Annotated[str | None, Doc("Why value cannot be believed, null if it can", by="pipeline")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """A row is a run of `tinybeam sql recompute` that came to its end: the rollups of the hours it looked at are what the facts say."""

    started_time: Annotated[
        datetime, Doc("When the run began; facts that arrived before are in the hours it looked at", "UTC", by="tinybeam sql")
    ]
    ended_time: Annotated[datetime, Doc("When it ended", "UTC", by="tinybeam sql")]
    by_marks: Annotated[bool, Doc("True if it looked at every marked hour, false if at the hours of a time", by="tinybeam sql")]
    from_time: Annotated[
        datetime | None, Doc("Start of the first hour it looked at, null if it looked at none", "UTC", by="tinybeam sql")
    ] = None
    to_time: Annotated[datetime | None, Doc("End of the last hour it looked at, null if it looked at none", "UTC", by="tinybeam sql")] = (
        None
    )
    site_hours: Annotated[int, Doc("Hours of sites it looked at", by="tinybeam sql")]
    site_windows: Annotated[int, Doc("Site windows that were not what the facts say and were written anew", by="tinybeam sql")]
    irrigation_days: Annotated[int, Doc("Water balances of a field and day that were written anew", by="tinybeam sql")]
    alert_rows: Annotated[int, Doc("Rows of alerts that were added or closed", by="tinybeam sql")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Irrigation:
    """A row is the water balance of one field and day after FAO-56, from measured moisture. A later revision replaces an earlier one."""

    site_id: Annotated[str, Doc("Site that has a soil and a crop", by="pipeline")]
    day: Annotated[datetime, Doc("Start of the day, inclusive", "UTC", by="pipeline")]
    crop: Annotated[str, Doc("Crop of the registry", by="pipeline")]
    soil: Annotated[str, Doc("Soil texture of the registry", by="pipeline")]
    moisture: Annotated[
        float | None,
        Doc(
            "Mean over the field's probes of their latest hour, each with the same weight, taken for the root zone", "m3/m3", by="pipeline"
        ),
    ] = None
    moisture_time: Annotated[datetime, Doc("End of the latest hour of the day in which moisture was heard", "UTC", by="pipeline")]
    probes: Annotated[tuple[Probe, ...], Doc("What each device said last, left out or not", by="pipeline")]
    temperature_min: Annotated[float | None, Doc("Lowest hourly mean of the day so far", "degC", by="pipeline")] = None
    temperature_max: Annotated[float | None, Doc("Highest hourly mean of the day so far", "degC", by="pipeline")] = None
    reference_mm: Annotated[float | None, Doc("Reference evapotranspiration ET0 of the day", "mm", by="pipeline")] = None
    rain_mm: Annotated[float | None, Doc("Rain of the day so far, null without a gauge", "mm", by="pipeline")] = None
    rain_unseen_mm: Annotated[
        float | None, Doc("Rain of the last day that moisture does not show yet; depletion_mm knows of it", "mm", by="pipeline")
    ] = None
    crop_coefficient: Annotated[float, Doc("Crop coefficient Kc of the day", by="pipeline")]
    root_depth: Annotated[float, Doc("Depth of the root zone", "m", by="pipeline")]
    available_mm: Annotated[float, Doc("Total available water TAW of the root zone", "mm", by="pipeline")]
    readily_available_mm: Annotated[float, Doc("Readily available water RAW: a greater depletion is stress", "mm", by="pipeline")]
    depletion_mm: Annotated[float | None, Doc("Root-zone depletion Dr: what is missing to field capacity", "mm", by="pipeline")] = None
    need_mm: Annotated[
        float | None, Doc("Net irrigation need: the depletion once the stress is near, else 0; null without advice", "mm", by="pipeline")
    ] = None
    need_m3: Annotated[float | None, Doc("The need over the area of the site, null without an area", "m3", by="pipeline")] = None
    balance_days: Annotated[
        float | None,
        Doc("Days until stress by the water balance, without rain: 0 in stress, at most 14, null if unknown", "d", by="pipeline"),
    ] = None
    no_advice: Annotated[str | None, Doc("Why there is no balance: no probe can be believed; null if there is one", by="pipeline")] = None
    assumed: Annotated[
        str | None, Doc("What was not known and was assumed, and which devices were left out and why; null if nothing", by="pipeline")
    ] = None
    readings: Annotated[int, Doc("Readings of moisture, temperature and rain of the day that were heard", by="pipeline")]
    revision: Annotated[int, Doc("0 for the first result of a day, then rising", by="pipeline")]
    as_of: Annotated[datetime, Doc("When the result was computed; the latest wins", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True, kw_only=True)
class IrrigationV1:
    """A row is a water balance of a field and day as pipelines up to 0.2 wrote it. No row is added; the view `irrigation` shows them."""

    site_id: Annotated[str, Doc("Site that has a soil and a crop", by="pipeline")]
    day: Annotated[datetime, Doc("Start of the day, inclusive", "UTC", by="pipeline")]
    crop: Annotated[str, Doc("Crop of the registry", by="pipeline")]
    soil: Annotated[str, Doc("Soil texture of the registry", by="pipeline")]
    moisture: Annotated[float, Doc("Mean of the site's readings in the day's latest hour, taken for the root zone", "m3/m3", by="pipeline")]
    moisture_time: Annotated[datetime, Doc("End of the hour that `moisture` is of", "UTC", by="pipeline")]
    temperature_min: Annotated[float | None, Doc("Lowest hourly mean of the day so far", "degC", by="pipeline")] = None
    temperature_max: Annotated[float | None, Doc("Highest hourly mean of the day so far", "degC", by="pipeline")] = None
    reference_mm: Annotated[float | None, Doc("Reference evapotranspiration ET0 of the day", "mm", by="pipeline")] = None
    crop_coefficient: Annotated[float, Doc("Crop coefficient Kc of the day", by="pipeline")]
    root_depth: Annotated[float, Doc("Depth of the root zone", "m", by="pipeline")]
    available_mm: Annotated[float, Doc("Total available water TAW of the root zone", "mm", by="pipeline")]
    readily_available_mm: Annotated[float, Doc("Readily available water RAW: a greater depletion is stress", "mm", by="pipeline")]
    depletion_mm: Annotated[float, Doc("Root-zone depletion Dr: what is missing to field capacity", "mm", by="pipeline")]
    need_mm: Annotated[float, Doc("Net irrigation need: the depletion once the stress is near, else 0", "mm", by="pipeline")]
    need_m3: Annotated[float | None, Doc("The need over the area of the site, null without an area", "m3", by="pipeline")] = None
    days_until_stress: Annotated[
        float | None, Doc("Days until stress without rain, 0 in stress, at most 14, null if unknown", "d", by="pipeline")
    ] = None
    assumed: Annotated[str | None, Doc("What the registry or the sensors did not say and was assumed, null if nothing", by="pipeline")] = (
        None
    )
    revision: Annotated[int, Doc("0 for the first result of a day, then rising", by="pipeline")]
    as_of: Annotated[datetime, Doc("When the result was computed; the latest wins", "UTC", by="pipeline")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row says what happened to an alert: opened, updated or resolved. Its rows share `alert_id`; the highest revision is its state."""

    alert_id: Annotated[str, Doc("Identity of the alert: rule:subject:opened_time in microseconds", by="pipeline")]
    rule: Annotated[str, Doc("Name of the rule in the registry", by="pipeline")]
    source: Annotated[str, Doc("What the rule watches, for example event or silence", by="pipeline")]
    subject: Annotated[str, Doc("Device, site or gateway that it is about; at most one alert of a rule is open for it", by="pipeline")]
    site_id: Annotated[str | None, Doc("Site of the subject, null for a gateway", by="pipeline")] = None
    device_id: Annotated[str | None, Doc("Device, null for a site or gateway", by="pipeline")] = None
    severity: Annotated[str, Doc(any_of(Severity), by="pipeline")]
    state: Annotated[str, Doc(any_of(AlertChange), by="pipeline")]
    opened_time: Annotated[datetime, Doc("Event time of the opening", "UTC", by="pipeline")]
    event_time: Annotated[datetime, Doc("Event time of what this row shows", "UTC", by="pipeline")]
    value: Annotated[float | None, Doc("The value that led to it", "the source's unit", by="pipeline")] = None
    threshold: Annotated[float | None, Doc("The rule's limit, null if it has none", "the source's unit", by="pipeline")] = None
    message: Annotated[str, Doc("One sentence for the person who is notified", by="pipeline")]
    historical: Annotated[bool, Doc("True if it comes from backlog: nobody is notified", by="pipeline")]
    revision: Annotated[int, Doc("0 for the opening, then rising", by="pipeline")]
    as_of: Annotated[datetime, Doc("When the row was made", "UTC", by="pipeline")]
    notified: Annotated[
        bool | None, Doc("Whether people are notified of this row; null before 0.3, where all were that are not historical", by="pipeline")
    ] = None
    unit: Annotated[str | None, Doc("Unit of value and threshold, null where it is not known", by="pipeline")] = None
    site_name: Annotated[str | None, Doc("Name of the site, null where the registry has none", by="pipeline")] = None
    device_name: Annotated[str | None, Doc("Name of the device, null where the registry has none", by="pipeline")] = None
    time_zone: Annotated[str | None, Doc("Time zone of the site, by its IANA name; null for UTC", by="pipeline")] = None
    to_do: Annotated[str | None, Doc("What the person who is notified is to do; null when it is resolved", by="pipeline")] = None
    link: Annotated[str | None, Doc("Page about the alert, null if its rule names none", by="pipeline")] = None
