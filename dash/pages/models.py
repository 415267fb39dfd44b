"""Models: which release runs on which gateways, what it says, and how it does beside the one before it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from dash.data import models
from dash.data.models import Decision, Rollout, Version
from dash.pages.page import Asking, Page
from dash.pages.ranges import ranges
from presentation.wording import count, listed

DAYS = 7
_COMPARED_A_SECOND = 10_000
"""So many verdicts a second a processor compares on a local warehouse, by the benchmark `dash`; more of them wait in proportion."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a model: on how many gateways it runs, as a share of those that run the model, and why some refused it."""

    words: str
    gateways: int
    percent: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What one file of a model said: labels as shares, and what people answered."""

    version: Version
    release: str
    labels: str
    answers: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about a release, as an action with the share that runs it, when, and why."""

    time: datetime
    words: str
    reasons: str


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    releases: tuple[Release, ...]
    decided: tuple[Decided, ...]
    said: tuple[Said, ...]


def _content(asking: Asking) -> dict[str, Any]:
    span = asking.span(DAYS)
    told = models.read(asking.questions, asking.now, span)
    names = sorted({each.model for of_kind in (told.rollouts, told.versions, told.decisions) for each in of_kind})
    compares = asking.choice.get("compare") == "1"
    return {
        "models": [
            Model(
                name,
                tuple(_releases([each for each in told.rollouts if each.model == name])),
                tuple(_decided(each) for each in told.decisions if each.model == name),
                tuple(_said(each) for each in told.versions if each.model == name),
            )
            for name in names
        ],
        "sees_all": asking.questions.viewer.all_sites,
        "compares": compares,
        "seconds": ceil(sum(version.inferences for version in told.versions) / _COMPARED_A_SECOND),
        "health": models.health(asking.questions, span) if compares else (),
        "outcomes": models.outcomes(asking.questions, span) if compares else {},
        "ranges": ranges(asking, span, DAYS),
        "now": asking.now,
        "export": "/export/verdicts.csv",
    }


def _releases(rollouts: list[Rollout]) -> list[Release]:
    running = max(1, len({gateway for each in rollouts for gateway in each.gateways}))
    return [
        Release(_named(each.release), len(each.gateways), round(100 * len(each.gateways) / running), tuple(_refusals(each)))
        for each in rollouts
    ]


def _named(release: int) -> str:
    return f"release {release}" if release else "as the gateways' settings name it"


def _refusals(rollout: Rollout) -> list[str]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for gateway, reason in rollout.refused.items():
        by_reason[reason].append(gateway)
    return [f"{listed(sorted(gateways)[:5])}: {reason}" for reason, gateways in by_reason.items()]


def _decided(decision: Decision) -> Decided:
    share = f"{decision.share:g} % of the gateways"
    of_each = {"advance": f"on to {share}", "wait": f"waits at {share}", "halt": f"halted, {share} run it"}
    return Decided(decision.time, f"{_named(decision.release)}: {of_each[decision.action]}", decision.reasons)


def _said(version: Version) -> Said:
    labels = [f"{_percent(windows / version.inferences)} % {label}" for label, windows in version.labels.items()]
    answers = f"{version.false_alarms} of {version.answers} answers" if version.answers else "no answer yet"
    release = str(version.model_release) if version.model_release else "settings"
    return Said(version, release, f"{listed(labels)} of {count(version.inferences)}", answers)


def _percent(share: float) -> str:
    """Writes what there is of at all as 1 % at least, and what is not all as 99 % at most."""
    return f"{100 * share:.0f}" if share in {0.0, 1.0} else f"{min(99, max(1, round(100 * share)))}"


PAGE = Page("/models", "Models", "models.html.j2", _content)
