"""Shows how much water each field needs today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.report.query_results import QueryResults
from presentation.wording import count

SOON_DAYS = 3
"""A field whose water lasts so long is named in a sentence."""


def content(results: QueryResults) -> dict[str, Any]:
    """Lists the advice for each field, the one with the greatest need first."""
    advised = [row for row in results.irrigation_this_week if row["action"] != "unknown"]
    rows = sorted(advised, key=lambda row: (-_need(row), _days(row)))
    top = max((_need(row) for row in rows), default=0.0)
    soon = [row for row in rows if row["action"] == "water" or _days(row) < SOON_DAYS]
    return {
        "rows": [{**row, "share": _need(row) / top if top else 0.0} for row in soon],
        "later": [row["field"] for row in rows if row not in soon],
        "unknown": [row for row in results.irrigation_this_week if row["action"] == "unknown"],
        "fields": len(results.irrigation_this_week),
        "total_m3": sum(row["need_m3"] or 0.0 for row in rows),
        "thirsty": sum(row["action"] == "water" for row in rows),
        "assumed": sorted({row["assumed"] for row in rows if row["assumed"]}),
    }


def _need(row: Mapping[str, Any]) -> float:
    return float(row["need_mm"] or 0.0)


def _days(row: Mapping[str, Any]) -> float:
    """Returns the days until stress that the advice rests on; an unknown number is worth a look."""
    return float(row["model_days" if row["rests_on"] == "model" else "balance_days"] or 0.0)


def lede(content: dict[str, Any]) -> str:
    method = "The need is what the root zone lacks once stress is near, net of what gets lost on the way, computed after FAO-56."
    if not content["fields"]:
        return method
    verb = "needs" if content["thirsty"] == 1 else "need"
    thirsty = f"{content['thirsty']} of {content['fields']} fields {verb} water today, {count(content['total_m3'])} m³ in all."
    return f"{thirsty if content['thirsty'] else 'No field needs water today.'} {method}"
