"""Runs drills, says what came of each, and writes it to summary.json."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from lab.acts.analyst import prepare
from lab.console import Console
from lab.drills.drill import Drill, Ground, Outcome
from lab.drills.scenery import REGISTRY
from lab.folder import emptied
from lab.services.stack import Warehouse
from lab.witness import delivered
from schemas.registry import Registry

SUMMARY = "summary.json"
_SHOWN = 5


class DrillSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Is what summary.json holds of a drill. `lost`, `repeated` and `wrong_cells` are counts."""

    name: str
    seconds: float
    lost: int
    repeated: int
    wrong_cells: int
    invariants: Mapping[str, bool]


def run(directory: Path, drills: Iterable[Drill], console: Console) -> bool:
    """Runs drills one after the other, each on a warehouse of its own. Returns whether all of them are sound. Raises StartFailed."""
    emptied(directory)
    summaries, sound = [], True
    for drill in drills:
        console.title(f"{drill.NAME}: {drill.STORY}")
        began = time.monotonic()
        outcome = _outcome(drill, directory / drill.NAME, console)
        summaries.append(_summary(drill, time.monotonic() - began, outcome))
        _say(outcome, console)
        sound = sound and outcome.sound
        (directory / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summaries)) + b"\n")
    console.log(f"{len(summaries)} drills, {'all sound' if sound else 'NOT all sound'}: {directory / SUMMARY}")
    return sound


def _outcome(drill: Drill, directory: Path, console: Console) -> Outcome:
    directory.mkdir(parents=True)
    with Warehouse(directory) as warehouse:
        client = delivered.connect(warehouse)
        prepare(client, Registry.load(REGISTRY), console.status)
        return drill.run(Ground(warehouse, client, directory, console))


def _summary(drill: Drill, seconds: float, outcome: Outcome) -> DrillSummary:
    return DrillSummary(
        name=drill.NAME,
        seconds=round(seconds, 1),
        lost=len(outcome.verdict.lost),
        repeated=outcome.verdict.repeated,
        wrong_cells=len(outcome.wrong_cells),
        invariants=outcome.invariants,
    )


def _say(outcome: Outcome, console: Console) -> None:
    verdict = outcome.verdict
    console.log(
        f"attempted {verdict.attempted}, acknowledged {verdict.acknowledged}, delivered {verdict.delivered}, lost {len(verdict.lost)}, "
        f"repeated {verdict.repeated}, unexpected {len(verdict.unexpected)}, wrong cells {len(outcome.wrong_cells)}"
    )
    for text in outcome.wrong_cells[:_SHOWN]:
        console.log(f"WRONG  {text}")
    for name, holds in outcome.invariants.items():
        console.log(f"{'holds' if holds else 'BROKEN'}  {name}")
