"""Shows how each batch of act two got from its readings to its row, faults included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lab.acts.run_record import RunRecord
from lab.report import charts
from lab.report.query_results import QueryResults
from lab.report.sections.points import affected_by_faults, second
from lab.witness.latency import Arrival
from presentation.svg import both_widths


def content(record: RunRecord, results: QueryResults) -> dict[str, Any]:
    """Draws every batch of summaries of act two, from its readings to its row."""
    first = {row["batch_id"]: row["first_time"] for row in results.spans}
    affected = affected_by_faults(record)
    lanes = sorted({_gateway(arrival) for arrival in record.arrivals})
    batches: list[dict[str, Any]] = [
        {
            "lane": _gateway(arrival),
            "first": max(0.0, second(record, min(first.get(arrival.batch_id, arrival.newest_reading), arrival.newest_reading))),
            "newest": max(0.0, second(record, arrival.newest_reading)),
            "visible": second(record, arrival.visible),
            "affected": arrival in affected,
        }
        for arrival in record.arrivals
    ]
    if not batches:
        return {"chart": "", "batches": 0}
    seconds = max(batch["visible"] for batch in batches) + 1
    faults = list(_faults(record, lanes))
    description = f"{len(batches)} batches on their way from reading to warehouse; a fault delayed {len(affected)} of them"
    chart = both_widths(lambda width: charts.batch_paths(batches, faults, seconds, lanes, width), description)
    return {
        "chart": chart,
        "batches": len(batches),
        "affected": len(affected),
        "longest": max(arrival.milliseconds for arrival in record.arrivals) / 1000,
    }


def lede(record: RunRecord, content: dict[str, Any]) -> str:
    actions = "; ".join(f"{(action.time - record.started).total_seconds():.0f} s: {action.text}" for action in record.actions)
    if not content["chart"]:
        return f"{actions}." if actions else "Nothing was done to the running system."
    slowest = f"the slowest was in the warehouse after {content['longest']:.0f} s"
    return f"{actions}. {content['affected']} of {content['batches']} batches were affected by a fault; {slowest}."


def _faults(record: RunRecord, lanes: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yields each fault as a shade on the lanes that it touched; the first of them names it."""
    begins = [action for action in record.actions if action.fault]
    ends = [action for action in record.actions if not action.fault]
    for begin, end in zip(begins, ends, strict=False):
        touched = [lane for lane in lanes if lane in begin.text] or list(lanes)
        text = begin.fault.removeprefix("a gateway was ").removeprefix("the ").replace(" was ", " ")
        for lane in touched:
            label = text if lane == touched[0] else ""
            yield {"lane": lane, "begin": second(record, begin.time), "end": second(record, end.time), "text": label}


def _gateway(arrival: Arrival) -> str:
    return arrival.batch_id.split(":", 1)[0]
