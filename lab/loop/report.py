"""Renders the loop's report: one HTML page that needs no network and no JavaScript, of the result alone."""

from __future__ import annotations

from pathlib import Path

import altair as alt
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab import report
from lab.loop.result import Result
from lab.loop.world import DAYS
from lab.report.charts import ALARM, FAULT, GOOD, WATER
from presentation import svg
from presentation.svg import INK, Chart, both_widths, data
from training.soil.metrics import shortcomings

FILE = "report.html"
_COLOURS = alt.Scale(domain=["1.0.0", "2.0.0", "3.0.0", "4.0.0"], range=[FAULT, GOOD, ALARM, INK])
_LINES = alt.Scale(domain=["came", "v2", "v1"], range=[INK, GOOD, FAULT])


def write(directory: Path, result: Result) -> Path:
    """Writes report.html into the folder."""
    file = directory / FILE
    file.write_text(page(result))
    return file


def page(result: Result) -> str:
    # Pages of the lab look alike.
    loader = FileSystemLoader([Path(__file__).parent, Path(report.__file__).parent, Path(svg.__file__).parent])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["share"] = lambda share: "-" if share is None else f"{share:.0%}"
    return environment.get_template("report.html.j2").render(
        result=result,
        measured=result.windows_measured,
        young=result.windows_too_young,
        fault=next(iter(result.release_faults), ""),
        days=DAYS,
        fields=len(result.held_out_sites) + len(result.training_sites),
        headline=_headline(result),
        shortcomings=_shortcomings(result),
        bad="; ".join(f"{bad.name}, {bad.largest_share:.0%} of the gateways, {bad.ended}" for bad in result.bad_releases),
        rollout=both_widths(lambda width: _rollout(result, width), "Gateways by version, day by day"),
        example=both_widths(lambda width: _example(result, width), "Days until stress at a site held out") if result.example else "",
    )


def _headline(result: Result) -> str:
    return "The fields taught another model" if shortcomings(result.metrics, "v2") else "The fields taught a better model"


def _shortcomings(result: Result) -> str:
    if found := shortcomings(result.metrics, "v2"):
        return "v2 does not beat " + "; ".join(f"{name} in {' and in '.join(metrics)}" for name, metrics in found.items()) + "."
    return "v2 beats v1 and every rule in error, in error below five days and in right verdicts."


def _rollout(result: Result, width: int) -> Chart:
    points = [{"day": one.day, "version": one.version, "gateways": one.gateways} for one in result.ran]
    return (
        alt.Chart(data(points), width=width - 60, height=150)
        .mark_bar(size=max(2, (width - 60) / DAYS))
        .encode(
            alt.X("day:Q", axis=alt.Axis(title="day of the season"), scale=alt.Scale(domain=[0, DAYS])),
            alt.Y("sum(gateways):Q", axis=alt.Axis(title=None)),
            alt.Color("version:N", scale=_COLOURS, legend=alt.Legend(title=None, orient="top")),
        )
    )


def _example(result: Result, width: int) -> Chart:
    rows = result.example.rows if result.example else ()
    lines = [(row.day, {"came": row.came, "v2": row.v2, "v1": row.v1}) for row in rows]
    points = [{"day": day, "line": name, "days": days} for day, line in lines for name, days in line.items()]
    return (
        alt.Chart(data(points), width=width - 60, height=200)
        .mark_line(strokeWidth=1.5, color=WATER)
        .encode(
            alt.X("day:Q", axis=alt.Axis(title="day of the season")),
            alt.Y("days:Q", axis=alt.Axis(title="days until stress")),
            alt.Color("line:N", scale=_LINES, legend=alt.Legend(title=None, orient="top")),
        )
    )
