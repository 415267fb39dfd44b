"""Which models run where, what they say, and how a release does beside the one before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from dash.data import fleet
from dash.data.fleet import Gateway
from dash.data.span import Span
from dash.data.warehouse import Questions, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The gateways that run one release of a model, 0 where their configuration names the bundle, and those that refused it and why."""

    model: str
    release: int
    gateways: tuple[str, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What one file of a model said on the viewer's sites. `labels` has windows by label, the most frequent first."""

    model: str
    model_version: str
    model_sha256: str
    model_release: int | None
    sites: int
    inferences: int
    labels: Mapping[str, int]
    answers: int
    false_alarms: int
    first_time: datetime
    last_time: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a release, `share` being the percentage of the gateways that run it from then on, and why."""

    model: str
    release: int
    time: datetime
    action: Literal["advance", "wait", "halt"]
    share: float
    reasons: str


@dataclass(frozen=True, slots=True)
class Models:
    """Roll-out as of now, verdicts of a span, and what was decided in it, the newest first; decisions are for who sees every site."""

    rollouts: tuple[Rollout, ...]
    versions: tuple[Version, ...]
    decisions: tuple[Decision, ...]


def read(questions: Questions, now: datetime, span: Span) -> Models:
    """Raises Unreachable."""
    of_span = {"from_time": span.begin, "to_time": span.end}
    questions.ahead("gateways", moment=now)
    questions.ahead("decisions", **of_span)
    rows_of_each = defaultdict(list)
    for row in questions.query("verdicts", **of_span):
        rows_of_each[row["model"], row["model_release"] or 0, row["model_version"], row["model_sha256"]].append(row)
    versions = (_version(rows_of_each[key]) for key in sorted(rows_of_each, reverse=True))
    return Models(tuple(_rollouts(fleet.states(questions, now))), tuple(versions), _decisions(questions.query("decisions", **of_span)))


def health(questions: Questions, span: Span) -> tuple[Mapping[str, Any], ...]:
    """Returns the rows of release_health, each release beside its control, to who sees every site: it is of the whole fleet.

    Weighs each verdict of the span and reads the moisture of a fortnight more: it is for who asks for it, not for a page that opens. Begins
    to ask for `outcomes`, too, which stand beside it. Raises Unreachable.
    """
    of_span = {"from_time": span.begin, "to_time": span.end}
    questions.ahead("outcomes", **of_span)
    return questions.query("release_health", **of_span)


def outcomes(questions: Questions, span: Span) -> Mapping[str, Mapping[str, int]]:
    """Returns verdicts by version of the soil model and outcome. As dear as `health`. Raises Unreachable."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in questions.query("outcomes", from_time=span.begin, to_time=span.end):
        of_version = found[row["model_version"]]
        of_version[row["outcome"]] = of_version.get(row["outcome"], 0) + row["verdicts"]
    return found


def _decisions(rows: Iterable[Row]) -> tuple[Decision, ...]:
    return tuple(Decision(row["model"], row["release"], row["decided_time"], row["action"], row["share"], row["reasons"]) for row in rows)


def _rollouts(gateways: Iterable[Gateway]) -> Iterable[Rollout]:
    running, refused = defaultdict(list), defaultdict(dict)  # type: defaultdict[tuple[str, int], list[str]], defaultdict[Any, dict[str, str]]
    for gateway in gateways:
        for model in gateway.models:
            running[model, int(gateway.releases.get(model, 0))].append(gateway.gateway_id)
        for name, reason in gateway.refused.items():
            model, _, number = name.rpartition("/")
            if number.isdecimal():
                refused[model, int(number)][gateway.gateway_id] = reason
    for key in sorted(running.keys() | refused.keys(), key=lambda key: (key[0], -key[1])):
        yield Rollout(model=key[0], release=key[1], gateways=tuple(sorted(running[key])), refused=refused[key])


def _version(rows: list[Row]) -> Version:
    """Puts the rows of a version together, one for each site."""
    labels: dict[str, int] = defaultdict(int)
    for row in rows:
        for said in row["labels"]:
            labels[said["label"]] += said["inferences"]
    inferences = sum(row["inferences"] for row in rows)
    return Version(
        **{name: rows[0][name] for name in ("model", "model_version", "model_sha256", "model_release")},
        sites=len(rows),
        inferences=inferences,
        labels=dict(sorted(labels.items(), key=lambda item: -item[1])),
        answers=sum(row["answers"] for row in rows),
        false_alarms=sum(row["false_alarms"] for row in rows),
        first_time=min(row["first_time"] for row in rows),
        last_time=max(row["last_time"] for row in rows),
    )
