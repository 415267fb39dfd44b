"""Shows how much water is in the soil of each field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.report import charts
from lab.report.query_results import QueryResults, Rows
from lab.report.sections.points import columns, grouped
from pipeline.irrigation import crops
from presentation.svg import svg
from presentation.wording import listed

_LINES = "Blue: moisture of the root zone day by day, m³ of water in a m³ of soil"
_SOUTH = "The fields lie south of the equator, where it is their season."


def content(results: QueryResults) -> list[dict[str, Any]]:
    """Draws a small chart for each field that has moisture."""
    moisture, needs = grouped(results.moisture, "site_id"), grouped(results.irrigation, "site_id")
    advice = {row["site_id"]: row for row in results.irrigation_this_week}
    top = max([0.5, *(row["mean"] for row in results.moisture)])
    top_need = max((row["need_mm"] for row in results.irrigation), default=0.0)
    figures = []
    for site in results.sites:
        if days := moisture.get(site["site_id"]):
            balances = list(_balances(needs.get(site["site_id"], ())))
            chart = charts.moisture_season(columns(days, "day", "mean"), balances, top, top_need)
            drawn = svg(chart, _description(site["name"], days))
            figures.append({**site, "advice": advice.get(site["site_id"]), "balances": balances, "chart": drawn})
    return figures


def _balances(rows: Rows) -> Iterator[dict[str, Any]]:
    """Yields for each day what the field lacks [mm], and the moisture [m3/m3] that its soil can hold and at which stress begins."""
    for row in rows:
        if soil := crops.soil(row["soil"]):
            full = soil.field_capacity
            yield {"day": row["day"], "need_mm": round(row["need_mm"], 4), "full": full, "stress": round(full - row["usable"], 4)}


def lede(content: list[dict[str, Any]]) -> str:
    dry = [field["name"] for field in content if field["advice"] and field["advice"]["action"] == "water"]
    advice = f"{listed(dry)} {'needs' if len(dry) == 1 else 'need'} water today" if dry else "No field needs water today"
    if not any(field["balances"] for field in content):
        return f"{advice}. {_LINES}."
    limits = "below the dashed red line the crop is in stress, above the dotted one water drains away"
    south = f" {_SOUTH}" if any((field["latitude"] or 0.0) < 0 for field in content) else ""
    return f"{advice}. {_LINES}; {limits}. Red bars hang down: mm of water that the field lacks once stress is near.{south}"


def _description(name: str, days: Rows) -> str:
    means = [row["mean"] for row in days]
    return f"Soil moisture of {name} over {len(days)} days, between {min(means):.2f} and {max(means):.2f} m³/m³, last {means[-1]:.2f}"
