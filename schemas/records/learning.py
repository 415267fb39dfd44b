"""Declares what models are judged by and learn from: windows worth a look, what people say, what models were trained on, and decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from schemas.records.column import DEVICE, Doc
from schemas.records.vocabulary import Answer, SampleReason, TimeQuality, any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A row is a window that is worth learning from: what the model was given, what it said, and why the gateway kept it."""

    device_id: Annotated[str, DEVICE]
    window_start: Annotated[datetime, Doc("Start of the tumbling event-time window, inclusive", "UTC")]
    window_seconds: Annotated[int, Doc("Length of the window", "s")]
    model: Annotated[str, Doc("Name of the model")]
    model_version: Annotated[str, Doc("Version of the model bundle")]
    model_sha256: Annotated[str, Doc("SHA-256 of model.tflite, hexadecimal")]
    label: Annotated[str, Doc("The model's verdict, one of the bundle's labels")]
    score: Annotated[float, Doc("The model's main output", "the bundle's unit")]
    uncertainty: Annotated[float, Doc("Width of the model's central 80 % interval of the score", "the bundle's unit")]
    features: Annotated[tuple[float, ...], Doc("The model's inputs in the order of the bundle's recipe, before quantisation")]
    reason: Annotated[str, Doc(f"Why it was kept: {any_of(SampleReason)}; of several the first")]
    time_quality: Annotated[str, Doc(f"How far the event time can be trusted: {any_of(TimeQuality)}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A row is what a person said about an alert, a device or a site. The same said twice has one `label_id`."""

    label_id: Annotated[str, Doc("Identity of what was said: SHA-256 over what it is about and what it says", by="tinybeam label")]
    labelled_time: Annotated[datetime, Doc("When it was said", "UTC", by="tinybeam label")]
    labelled_by: Annotated[str | None, Doc("Who said it, null where that is not known", by="tinybeam label")] = None
    answer: Annotated[str, Doc(any_of(Answer), by="tinybeam label")]
    amount: Annotated[float | None, Doc("How much water was given, null of any other answer", "mm", by="tinybeam label")] = None
    event_time: Annotated[datetime, Doc("When it happened: the water was given, the alert opened", "UTC", by="tinybeam label")]
    alert_id: Annotated[str | None, Doc("Alert that it answers, null if none", by="tinybeam label")] = None
    site_id: Annotated[str | None, Doc("Site that it is about, null where the alert says it", by="tinybeam label")] = None
    device_id: Annotated[str | None, Doc("Device that it is about, null for a whole site", by="tinybeam label")] = None
    model_sha256: Annotated[
        str | None, Doc("Model that was told it by, null where the window's inference says it", by="tinybeam label")
    ] = None
    note: Annotated[str | None, Doc("What else was said, null if nothing", by="tinybeam label")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReference:
    """A row is how one input of a model was distributed in what it was trained on, by the manifest of its bundle."""

    model: Annotated[str, Doc("Name of the model", by="tinybeam sql")]
    model_version: Annotated[str, Doc("Version of the model bundle", by="tinybeam sql")]
    model_sha256: Annotated[str, Doc("SHA-256 of model.tflite, hexadecimal", by="tinybeam sql")]
    input: Annotated[str, Doc("Name of the input in the bundle's recipe", by="tinybeam sql")]
    position: Annotated[int, Doc("Its place among the features, from 0", by="tinybeam sql")]
    quantiles: Annotated[tuple[float, ...], Doc("Its quantiles at 0, 5, 10, ..., 100 % of the training examples", by="tinybeam sql")]
    added_time: Annotated[datetime, Doc("When the row was added", "UTC", by="tinybeam sql")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDecision:
    """A row is what `tinybeam release advance` decided about a release of a model, and by which figures."""

    decided_time: Annotated[datetime, Doc("When it was decided", "UTC", by="tinybeam release")]
    model: Annotated[str, Doc("Name of the model", by="tinybeam release")]
    release: Annotated[int, Doc("Number of the release", by="tinybeam release")]
    control: Annotated[
        int | None,
        Doc("Release that it was compared with, 0 for the bundle of a configuration; null if with none", by="tinybeam release"),
    ] = None
    action: Annotated[str, Doc("advance, wait or halt", by="tinybeam release")]
    share: Annotated[float, Doc("Share of the gateways that run it from then on", "%", by="tinybeam release")]
    reasons: Annotated[tuple[str, ...], Doc("Why, a sentence each", by="tinybeam release")]
    figures: Annotated[
        str | None,
        Doc("The row of release_health by which it was decided, as a JSON object; null if no gateway had run it", by="tinybeam release"),
    ] = None
