"""Shows whether any batch is missing."""

from __future__ import annotations

from typing import Any

from lab.report import charts
from lab.report.query_results import QueryResults
from lab.report.sections.points import grouped
from presentation.svg import both_widths
from presentation.wording import count


def content(results: QueryResults) -> dict[str, Any]:
    """Sums up each gateway, and draws each of its hours."""
    rows = results.completeness
    if not rows:
        return {"chart": "", "gateways": []}
    gateways = [
        {
            "gateway_id": gateway,
            "days": len({hour["hour"].date() for hour in hours}),
            **{name: sum(hour[name] for hour in hours) for name in ("received", "missing", "declared")},
        }
        for gateway, hours in grouped(rows, "gateway_id").items()
    ]
    worst = min(row["completeness"] for row in rows)
    lanes = [gateway["gateway_id"] for gateway in gateways]
    description = f"Completeness of {len(rows)} hours of {len(lanes)} gateways; the lowest is {worst:.1%}"
    cells = [{"gateway_id": row["gateway_id"], "hour": row["hour"], "whole": row["completeness"] == 1} for row in rows]
    return {
        "chart": both_widths(lambda width: charts.completeness(cells, lanes, width), description),
        "gateways": gateways,
        "worst": worst,
    }


def lede(content: dict[str, Any]) -> str:
    missing, declared = (sum(gateway[name] for gateway in content["gateways"]) for name in ("missing", "declared"))
    gaps = f"{count(missing) if missing else 'none'} missing, {count(declared) if declared else 'none'} declared as dropped"
    return f"Gateways number their batches, so a gap is known: {gaps}. A tick is an hour with batches, in the season one a day."
