"""Runs drills, says what came of each, and writes it to summary.json."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from lab.console import Console
from lab.drills.drill import Drill, Ground, Outcome
from lab.drills.scenery import STRAIGHT, prepared
from lab.folder import emptied
from lab.services.stack import StartFailed, Warehouse
from lab.services.template import from_template
from lab.services.warehouse import PROJECT
from lab.witness import delivered
from lab.witness.oracle import DeliveredKeys, judge

SUMMARY = "summary.json"
RAN = "the drill runs to its end"
_SHOWN = 5


class DrillSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Is what summary.json holds of a drill. `lost`, `repeated` and `wrong_cells` are counts."""

    name: str
    seconds: float
    lost: int
    repeated: int
    wrong_cells: int
    invariants: Mapping[str, bool]

    @property
    def sound(self) -> bool:
        return not (self.lost or self.repeated or self.wrong_cells) and all(self.invariants.values())


def run(directory: Path, drills: Sequence[Drill], console: Console) -> bool:
    """Runs drills one after the other, each on empty tables. Returns whether all of them are sound. Raises StartFailed."""
    emptied(directory)
    summaries = []
    with Warehouse(from_template(directory, PROJECT, STRAIGHT)) as warehouse, delivered.connect(warehouse) as client:
        for number, drill in enumerate(drills, 1):
            console.title(f"{drill.NAME}, {number} of {len(drills)}")
            console.show(drill.STORY)
            summaries.append(_summary(drill, Ground(warehouse, client, directory / drill.NAME, console)))
            (directory / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summaries)) + b"\n")
    console.title(f"{len(summaries)} drills")
    console.show("\n".join(map(_line, summaries)))
    console.log(f"{'all sound' if all(each.sound for each in summaries) else 'NOT all sound'}: {directory / SUMMARY}")
    return all(each.sound for each in summaries)


def _summary(drill: Drill, ground: Ground) -> DrillSummary:
    began = time.monotonic()
    outcome = _outcome(drill, ground)
    _say(outcome, ground.console)
    return DrillSummary(
        name=drill.NAME,
        seconds=round(time.monotonic() - began, 1),
        lost=len(outcome.verdict.lost),
        repeated=outcome.verdict.repeated,
        wrong_cells=len(outcome.wrong_cells),
        invariants={
            **outcome.invariants,
            "readings were acknowledged": outcome.verdict.acknowledged > 0,
            "nothing is shown that nobody sent": not outcome.verdict.unexpected,
        },
    )


def _outcome(drill: Drill, ground: Ground) -> Outcome:
    """Runs the drill. One that cannot be run to its end is not sound, and does not keep the next ones from being run."""
    ground.directory.mkdir(parents=True)
    try:
        prepared(ground.client)
        ground.console.log("the tables are there, and empty")
        return drill.run(ground)
    except StartFailed as error:
        ground.console.log(str(error))
        return Outcome(verdict=judge((), (), DeliveredKeys(frozenset(), 0)), wrong_cells=(), invariants={RAN: False})


def _line(summary: DrillSummary) -> str:
    broken = "; ".join(name for name, holds in summary.invariants.items() if not holds)
    figures = f"lost {summary.lost}, repeated {summary.repeated}, wrong cells {summary.wrong_cells}, {len(summary.invariants)} invariants"
    line = f"{'sound ' if summary.sound else 'BROKEN'}  {summary.name:16} {summary.seconds:6.1f} s  {figures}"
    return f"{line}, of which broken: {broken}" if broken else line


def _say(outcome: Outcome, console: Console) -> None:
    verdict = outcome.verdict
    console.log(f"attempted {verdict.attempted}, acknowledged {verdict.acknowledged}, delivered {verdict.delivered}")
    for text in outcome.wrong_cells[:_SHOWN]:
        console.log(f"WRONG  {text}")
    if more := outcome.wrong_cells[_SHOWN:]:
        console.log(f"WRONG  and {len(more)} more cells")
    for name, holds in outcome.invariants.items():
        console.log(f"{'holds ' if holds else 'BROKEN'} {name}")
