"""How each machine sounds, and one machine over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dash.data import bundles, devices
from dash.data.bundles import Bundle
from dash.data.devices import SILENT_AFTER, Heard
from dash.data.span import Span
from dash.data.warehouse import Questions, Row

_OF_FIELDS = "soil"
_OLD = timedelta(hours=24)
"""A verdict that is older says nothing of how a machine sounds now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineNow:
    """The latest verdict on one machine. `label` is one of the model's, the worst last in `labels`; None if it was never judged."""

    device_id: str
    name: str
    site_id: str | None
    site: str
    time_zone: str | None
    model: str | None
    label: str | None
    labels: tuple[str, ...]
    score: float | None
    times_week_before: float | None
    """Mean score of the last day over that of the day a week before; None where either is unknown."""
    label_since: datetime | None
    judged_time: datetime | None
    """End of the latest judged window."""
    heard_time: datetime | None
    """End of the latest window of any channel."""

    @property
    def is_flagged(self) -> bool:
        """Returns whether it was judged, and not by the best of its model's labels."""
        return bool(self.labels) and self.label not in {None, self.labels[0]}

    @property
    def is_best(self) -> bool:
        """Returns whether the latest verdict is the best of its model's labels."""
        return bool(self.labels) and self.label == self.labels[0]

    def is_old(self, now: datetime) -> bool:
        """Returns whether nobody knows how it is now: it is silent, or was not judged for a day."""
        is_silent = self.heard_time is None or now - self.heard_time >= SILENT_AFTER
        return is_silent or self.judged_time is None or now - self.judged_time > _OLD


@dataclass(frozen=True, slots=True)
class Scored:
    """The score in one step of a span: mean, lowest and highest, without a unit."""

    time: datetime
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """Above `score` the verdict is `label`."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Change:
    """The verdict changed from `before` (None at first) to `label`."""

    time: datetime
    before: str | None
    label: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Band:
    """One input of the model, as a person names it: its mean of the last day of the span and of the first."""

    name: str
    unit: str | None
    now: float | None
    before: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine over a span."""

    now: MachineNow
    scores: tuple[Scored, ...]
    thresholds: tuple[Threshold, ...]
    changes: tuple[Change, ...]
    bands: tuple[Band, ...]


def overview(questions: Questions, now: datetime) -> tuple[MachineNow, ...]:
    """Returns every device that a model of machines judged in ten days, or that is a machine by its kind. Raises Unreachable."""
    questions.ahead("machines", "sites", "labelled_since", "devices", moment=now)
    sites = {row["site_id"]: row for row in questions.query("sites", moment=now)}
    judged = {row["device_id"]: row for row in questions.query("machines", moment=now)}
    since = {(row["device_id"], row["model"], row["label"]): row["since"] for row in questions.query("labelled_since", moment=now)}
    kinds = bundles.shipped().keys() - {_OF_FIELDS}
    known = (device for device in devices.read(questions, now) if device.device_id in judged or device.kind in kinds)
    machines = (_now(device, judged.get(device.device_id), sites.get(device.site_id), since) for device in known)
    return tuple(sorted(machines, key=lambda machine: (machine.site, machine.name, machine.device_id)))


def read(questions: Questions, device_id: str, span: Span) -> Machine | None:
    """Returns a machine over a span, its verdict as of the end; None if there is none, or not for this viewer. Raises Unreachable."""
    of_span = {"device_id": device_id, "from_time": span.begin, "to_time": span.end}
    questions.ahead("label_changes", **of_span)
    now = next((machine for machine in overview(questions, span.end) if machine.device_id == device_id), None)
    if now is None:
        return None
    if now.model is None:
        return Machine(now, (), (), (), ())
    questions.ahead("inputs", model=now.model, **of_span)
    scores = questions.query("scores", model=now.model, step_seconds=span.step_seconds, **of_span)
    changes = questions.query("label_changes", **of_span)
    inputs = questions.query("inputs", model=now.model, **of_span)
    bundle = bundles.shipped().get(now.model)
    is_its_own = bundle is not None and bool(inputs) and inputs[0]["model_sha256"] == bundle.sha256
    return Machine(
        now=now,
        scores=tuple(Scored(row["time"], row["mean"], row["low"], row["high"]) for row in scores),
        thresholds=_thresholds(bundle) if bundle and is_its_own else (),
        changes=tuple(Change(row["time"], row["label_before"], row["label"], row["score"]) for row in changes if row["model"] == now.model),
        bands=tuple(_band(row, bundle if is_its_own else None) for row in inputs),
    )


def model_of(questions: Questions, device_id: str, moment: datetime) -> str | None:
    """Returns the model whose verdict is the latest on a machine, None if there is none. Raises Unreachable."""
    rows = questions.query("machines", moment=moment)
    return next((row["model"] for row in rows if row["device_id"] == device_id), None)


def _now(device: Heard, judged: Row | None, site: Row | None, since: dict[tuple[str, str, str], datetime]) -> MachineNow:
    row: Row = judged or dict.fromkeys(("model", "label", "score", "judged_time", "last_day", "week_before"))
    bundle = bundles.shipped().get(row["model"])
    return MachineNow(
        device_id=device.device_id,
        name=device.name,
        site_id=device.site_id,
        site=site["name"] if site else device.site_id,
        time_zone=site["time_zone"] if site else None,
        model=row["model"],
        label=row["label"],
        labels=bundle.labels if bundle else (),
        score=row["score"],
        times_week_before=row["last_day"] / row["week_before"] if row["last_day"] is not None and row["week_before"] else None,
        label_since=since.get((device.device_id, row["model"], row["label"])),
        judged_time=row["judged_time"],
        heard_time=device.last_heard,
    )


def _thresholds(bundle: Bundle) -> tuple[Threshold, ...]:
    return tuple(Threshold(label, score) for label, score in zip(bundle.labels[1:], bundle.thresholds, strict=False))


def _band(row: Row, bundle: Bundle | None) -> Band:
    position = row["position"]
    named = bundle.inputs[position] if bundle and position < len(bundle.inputs) else row["name"] or f"input {position + 1}"
    return Band(named, None, row["mean_now"], row["mean_before"])
