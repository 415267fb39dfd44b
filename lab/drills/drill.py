"""Defines what a drill is, what it is given and what it answers: a new drill is a file here, and a line in lab/drills/catalogue.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from google.cloud import bigquery

from lab.console import Console
from lab.drills import reference
from lab.drills.probes import RawLog
from lab.drills.rejected import rejected_messages
from lab.services.stack import Warehouse
from lab.witness import delivered
from lab.witness.oracle import DeliveredKeys, Verdict, delivered_keys, judge

CHANNELS = ("moisture", "temperature")


@dataclass(frozen=True, slots=True)
class Ground:
    """Is what a drill stands on: a warehouse with empty tables, and an empty folder."""

    warehouse: Warehouse
    client: bigquery.Client
    directory: Path
    console: Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Is what came of a drill. `wrong_cells` names cells of views that differ from the raw readings; all `invariants` must be true."""

    verdict: Verdict
    wrong_cells: Sequence[str]
    invariants: Mapping[str, bool] = field(default_factory=dict)


class Drill(Protocol):
    """Runs one drill: `outcome = drill.run(ground)`."""

    NAME: str
    STORY: str
    """What goes wrong, and what must hold nevertheless, in a sentence."""

    def run(self, ground: Ground) -> Outcome: ...


def judged(ground: Ground, log: RawLog, site_of: reference.SiteOf, invariants: Mapping[str, bool]) -> Outcome:
    """Asks the oracle: what was acknowledged against what the views show, reading by reading and cell by cell.

    A reading that is a reject with its bytes is delivered, and in no cell.
    """
    since = min(raw.time for raw in log.readings.values()).replace(hour=0, minute=0, second=0, microsecond=0)
    facts = delivered_keys(delivered.channel_facts(ground.client, since), lambda _: CHANNELS, {})
    rejected = {log.keys[body] for body in rejected_messages(ground.client)}
    verdict = judge(set(log.readings), log.acknowledged, DeliveredKeys(facts.keys | rejected, facts.repeated))
    counted = [raw for raw in log.accepted() if raw.key not in rejected]
    return Outcome(verdict=verdict, wrong_cells=reference.wrong_cells(ground.client, counted, site_of), invariants=invariants)
