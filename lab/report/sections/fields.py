"""Shows how much water is in the soil of each field."""

from __future__ import annotations

from typing import Any

from lab.report import charts
from lab.report.query_results import QueryResults, Rows
from lab.report.sections.points import columns, grouped
from lab.report.svg import svg
from lab.report.wording import listed


def content(results: QueryResults) -> list[dict[str, Any]]:
    """Draws a small chart for each field that has moisture."""
    moisture, needs = grouped(results.moisture, "site_id"), grouped(results.irrigation, "site_id")
    advice = {row["site_id"]: row for row in results.irrigation_this_week}
    top = max([0.5, *(row["mean"] for row in results.moisture)])
    top_need = max((row["need_mm"] for row in results.irrigation), default=0.0)
    figures = []
    for site in results.sites:
        if days := moisture.get(site["site_id"]):
            wanted = columns(needs.get(site["site_id"], ()), "day", "need_mm")
            chart = charts.moisture_season(columns(days, "day", "mean"), wanted, top, top_need)
            drawn = svg(chart, _description(site["name"], days))
            figures.append({**site, "advice": advice.get(site["site_id"]), "needs": wanted, "chart": drawn})
    return figures


def lede(content: list[dict[str, Any]]) -> str:
    dry = [field["name"] for field in content if field["advice"] and field["advice"]["action"] == "water"]
    advice = f"{listed(dry)} {'needs' if len(dry) == 1 else 'need'} water today" if dry else "No field needs water today"
    needs = " Bars: irrigation need, mm." if any(field["needs"] for field in content) else ""
    return f"{advice}. Lines: moisture of the root zone day by day, m³ of water in a m³ of soil.{needs}"


def _description(name: str, days: Rows) -> str:
    means = [row["mean"] for row in days]
    return f"Soil moisture of {name} over {len(days)} days, between {min(means):.2f} and {max(means):.2f} m3/m3, last {means[-1]:.2f}"
