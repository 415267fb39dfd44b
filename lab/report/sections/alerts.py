"""Shows which alerts were delivered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lab.acts.run_record import RunRecord
from lab.report.query_results import QueryResults
from presentation.wording import count

MOST_ALERTS = 8


def content(record: RunRecord, results: QueryResults) -> dict[str, Any]:
    """Lists what was delivered, newest first, and counts the alerts that history alone raised."""
    delivered = [asdict(alert) for alert in reversed(record.alerts)]
    historical = sum(row["historical"] for row in results.alerts)
    return {"delivered": delivered[:MOST_ALERTS], "more": max(0, len(delivered) - MOST_ALERTS), "historical": historical}


def lede(content: dict[str, Any]) -> str:
    old = (
        f" {count(content['historical'])} alerts of the season's history are in the warehouse, and no one was notified of them."
        if content["historical"]
        else ""
    )
    return f"A message when something needs doing, and one when it is over.{old}"
