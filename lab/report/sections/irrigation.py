"""Shows how much water each field needs today."""

from __future__ import annotations

from typing import Any

from lab.report.query_results import QueryResults
from lab.report.wording import count
from pipeline.irrigation.water import HORIZON_DAYS


def content(results: QueryResults) -> dict[str, Any]:
    """Lists the newest day of each field, the one with the greatest need first."""
    rows = sorted(results.irrigation_this_week, key=lambda row: (-row["need_mm"], row["days_until_stress"] or 0.0))
    top = max((row["need_mm"] for row in rows), default=0.0)
    soon = [row for row in rows if row["need_mm"] > 0 or (row["days_until_stress"] or 0.0) < HORIZON_DAYS]
    shown = [{**row, "share": row["need_mm"] / top if top else 0.0} for row in soon]
    later = [row["field"] for row in rows if row not in soon]
    assumed = sorted({row["assumed"] for row in rows if row["assumed"]})
    return {
        "rows": shown,
        "later": later,
        "fields": len(rows),
        "total_m3": sum(row["need_m3"] or 0.0 for row in rows),
        "thirsty": sum(row["need_mm"] > 0 for row in rows),
        "assumed": assumed,
    }


def lede(content: dict[str, Any]) -> str:
    method = "The need is what the root zone lacks once stress is near, net of what gets lost on the way, computed after FAO-56."
    if not content["fields"]:
        return method
    verb = "needs" if content["thirsty"] == 1 else "need"
    thirsty = f"{content['thirsty']} of {content['fields']} fields {verb} water today, {count(content['total_m3'])} m³ in all."
    return f"{thirsty if content['thirsty'] else 'No field needs water today.'} {method}"
