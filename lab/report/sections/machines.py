"""Shows when the bearing of each machine began to fail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from edge.models.bundle import Bundle
from lab.acts.run_record import RunRecord
from lab.report import charts
from lab.report.query_results import QueryResults, Rows
from lab.report.sections.points import columns, grouped, second
from presentation.svg import svg
from presentation.wording import listed


def content(record: RunRecord, results: QueryResults, bundle: Bundle) -> list[dict[str, Any]]:
    """Draws a chart for each machine that the model has scored. It is flagged from the first event with the worst label."""
    worst = bundle.labels[-1]
    flags = {row["device_id"]: row["time"] for row in reversed(results.label_changes) if row["state"] == worst}
    thresholds = [
        {"score": above, "text": label, "worst": label == worst} for label, above in zip(bundle.labels[1:], bundle.thresholds, strict=True)
    ]
    span = bundle.thresholds[0] / 40, 1.3 * max([bundle.thresholds[-1], *(row["score"] for row in results.scores)])
    names, figures = {row["device_id"]: row["name"] for row in results.devices}, []
    for device, rows in grouped(results.scores, "device_id").items():
        name, flagged, last = names.get(device, device), flags.get(device), rows[-1]
        chart = charts.score_history(_scores(record, rows), thresholds, _flag(record, flagged), span)
        description = f"Anomaly score of {name}: {rows[0]['score']:.2f} on {rows[0]['time']:%-d %B}, {last['score']:.2f} at the end"
        figures.append(
            {
                "name": name,
                "flagged": flagged,
                "told": _told(record, device, flagged),
                "last": last,
                "chart": svg(chart, description),
            }
        )
    return figures


def lede(content: list[dict[str, Any]]) -> str:
    flagged = [machine["name"] for machine in content if machine["flagged"]]
    flags = f"{len(flagged)} of {len(content)} machines are flagged: {listed(flagged)}. " if flagged else ""
    healthy = "A model on the gateway knows what each machine sounds like when healthy; the score is how far from that it sounds now"
    return f"{flags}{healthy}: each line across is ten times the one below."


def _told(record: RunRecord, device: str, flagged: datetime | None) -> str:
    """Says whether somebody got a message, as nobody does of history."""
    if flagged is None:
        return ""
    if flagged < record.started:
        return "in history, of which nobody is notified"
    return "a message was sent" if any(alert.subject == device for alert in record.alerts) else "no message was sent"


def _scores(record: RunRecord, rows: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Separates the scores of the season from those of the minute, which go by their second."""
    season = [row for row in rows if row["time"] < record.started]
    minute = [{"second": second(record, row["time"]), "score": round(row["score"], 4)} for row in rows[len(season) :]]
    return columns(season, "time", "score"), minute


def _flag(record: RunRecord, flagged: datetime | None) -> list[dict[str, Any]]:
    if flagged is None:
        return []
    return [{"time": flagged}] if flagged < record.started else [{"second": second(record, flagged)}]
