"""Plays the demo: a season of history, real time with a kill and an outage in it, the analysts' answers and the oracle's verdict."""

from __future__ import annotations

from pathlib import Path

from lab.acts import history_act, live_act
from lab.acts.analyst import answers
from lab.acts.faults import fault_intervals
from lab.acts.history_act import HistoryResult
from lab.acts.live import LivePath
from lab.acts.live_act import LiveResult
from lab.acts.run_record import Counts, RunRecord
from lab.console import Console
from lab.folder import emptied
from lab.report.results import publish
from lab.services.stack import Warehouse
from lab.witness import delivered


def run(directory: Path, parts: str, seconds: float, console: Console) -> bool:
    """Runs the whole demo; logs, summary.json and report.html are in `directory`. Returns whether nothing was lost or repeated.

    Raises StartFailed.
    """
    with Warehouse(emptied(directory)) as warehouse:
        console.title("Act one: a season of ten fields and four machines, from the gateways' export files in batch mode")
        history = history_act.run(directory, warehouse, console)
        console.title("Act two: real time, with a kill and an outage")
        with LivePath(directory, warehouse, parts, registry=history.registry) as path:
            live = live_act.run(history, path, seconds, console)
            total = Counts.of(history.reconciliation.verdict())
        for question, table in answers(history.reconciliation.client):
            console.title(question)
            console.show(table)
        record = _record(history, live, total, console.seconds)
        return publish(directory, history.reconciliation.client, record, history.reconciliation.readings_acknowledged, console)


def _record(history: HistoryResult, live: LiveResult, total: Counts, seconds: float) -> RunRecord:
    return RunRecord(
        history=history.counts,
        total=total,
        season_begin=history.timeline.begin,
        started=live.started,
        ended=live.ended,
        actions=tuple(live.actions),
        fault_intervals=tuple(fault_intervals(live.actions)),
        arrivals=tuple(live.arrivals),
        bytes_raw_mqtt=live.bytes_raw_mqtt,
        bytes_uplink=live.bytes_uplink,
        rows=delivered.row_counts(history.reconciliation.client),
        parts=live.parts,
        seconds=seconds,
        alerts=live.alerts,
    )
