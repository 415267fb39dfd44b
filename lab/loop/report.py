"""Renders the loop's report: one HTML page that needs no network and no JavaScript, of the result alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import altair as alt
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab import report
from lab.loop.result import BadRelease, Decided, Result
from lab.loop.world import DAYS
from lab.report.charts import ALARM, FAULT, GOOD
from presentation import svg
from presentation.svg import INK, MUTED, WIDE, Chart, both_widths, data
from training.soil.metrics import DECISIVE_DAYS, Metrics, shortcomings
from training.soil.rivals import RAW_RULE, RELATIVE_RULE, SHARE_RULE

FILE = "report.html"
_NAMES = {
    "v2": "v2, taught by the fields",
    "v1": "v1, as shipped",
    RAW_RULE: "rule on moisture",
    RELATIVE_RULE: "rule on relative moisture",
    SHARE_RULE: "rule on the soil's water",
}
_MODELS = _NAMES["v2"], _NAMES["v1"]
_ENDED = {"halt": "halted", "advance": "went on", "wait": "still on trial"}
_VERSIONS = {"1.0.0": _NAMES["v1"], "2.0.0": _NAMES["v2"], "3.0.0": "v3, hasty", "4.0.0": "v4, damaged"}
_COLOURS = alt.Scale(domain=list(_VERSIONS.values()), range=[FAULT, GOOD, ALARM, INK])
_LINES = alt.Scale(domain=["what came", *_MODELS], range=[INK, GOOD, FAULT])


def write(directory: Path, result: Result) -> Path:
    """Writes report.html into the folder."""
    file = directory / FILE
    file.write_text(page(result))
    return file


def page(result: Result) -> str:
    # Pages of the lab look alike.
    loader = FileSystemLoader([Path(__file__).parent, Path(report.__file__).parent, Path(svg.__file__).parent])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = lambda share: "-" if share is None else f"{share:.1%}".replace("%", " %")
    environment.filters["decided"] = lambda action: _ENDED.get(action, action)
    environment.filters["control"] = _control
    environment.filters["call"] = lambda name: _NAMES.get(name, name)
    metrics = result.metrics or result.gate
    return environment.get_template("report.html.j2").render(
        result=result,
        metrics=metrics,
        measured=result.windows_measured or result.gate_windows,
        young=result.windows_too_young,
        held_out=len(result.held_out_sites),
        fault=next(iter(result.release_faults), ""),
        days=DAYS,
        decisive=DECISIVE_DAYS,
        headline=_headline(result),
        shortcomings=_shortcomings(metrics),
        bad="; ".join(_ended(bad) for bad in result.bad_releases),
        errors=both_widths(lambda width: _errors(metrics, width), "Mean error of each where stress is less than five days away"),
        rollout=both_widths(lambda width: _rollout(result, width), "Gateways by the model that they ran, day by day") if result.ran else "",
        example=both_widths(lambda width: _example(result, width), "Days until stress at a field held out") if result.example else "",
    )


def _headline(result: Result) -> str:
    if result.refusals:
        return "What the fields taught was not good enough"
    return "The fields taught another model" if shortcomings(result.metrics, "v2") else "The fields taught a better model"


def _shortcomings(metrics: Mapping[str, Metrics]) -> str:
    if found := shortcomings(metrics, "v2"):
        return "v2 does not beat " + "; ".join(f"{name} in {' and in '.join(least)}" for name, least in found.items()) + "."
    return f"v2 beats v1 and every rule in error, in error below {DECISIVE_DAYS:g} days and in right verdicts."


def _control(decision: Decided) -> str:
    """Says with what a release was compared, and where."""
    if decision.control is None:
        return "nothing"
    return f"release {decision.control or 'of the configuration'}, {decision.compared_on}"


def _ended(bad: BadRelease) -> str:
    return f"v{bad.version[0]}, the {bad.name} one, {_ENDED.get(bad.ended, bad.ended)}, ran on {bad.largest_share:.0%} of the gateways"


def _errors(metrics: Mapping[str, Metrics], width: int) -> Chart:
    names = [_NAMES.get(name, name) for name in metrics]
    rules = [name for name in names if name not in _MODELS]
    points = [{"name": name, "days": each.decisive_error} for name, each in zip(names, metrics.values(), strict=True)]
    colours = alt.Scale(domain=[*_MODELS, *rules], range=[GOOD, FAULT, *[MUTED] * len(rules)])
    return (
        alt.Chart(data(points), width=width - 200, height=alt.Step(28))
        .mark_bar(size=16)
        .encode(
            alt.X("days:Q", axis=alt.Axis(title="error near stress, days", format="d", tickMinStep=1)),
            alt.Y("name:N", sort=None, axis=alt.Axis(title=None, labelLimit=180)),
            alt.Color("name:N", scale=colours, legend=None),
        )
    )


def _rollout(result: Result, width: int) -> Chart:
    points = [{"day": one.day, "model": _VERSIONS.get(one.version, one.version), "gateways": one.gateways} for one in result.ran]
    return (
        alt.Chart(data(points), width=width - 60, height=150)
        .mark_bar(size=max(2, (width - 60) / DAYS))
        .encode(
            alt.X("day:Q", axis=alt.Axis(title="day of the season"), scale=alt.Scale(domain=[0, DAYS])),
            alt.Y("sum(gateways):Q", axis=alt.Axis(title="gateways", tickMinStep=1)),
            alt.Color("model:N", scale=_COLOURS, legend=_legend(4 if width == WIDE else 2)),
        )
    )


def _example(result: Result, width: int) -> Chart:
    rows = result.example.rows if result.example else ()
    lines = [(row.day, {"what came": row.came, _NAMES["v2"]: row.v2, _NAMES["v1"]: row.v1}) for row in rows]
    points = [{"day": day, "line": name, "days": days} for day, line in lines for name, days in line.items()]
    return (
        alt.Chart(data(points), width=width - 60, height=200)
        .mark_line(strokeWidth=1.5)
        .encode(
            alt.X("day:Q", axis=alt.Axis(title="day of the season")),
            alt.Y("days:Q", axis=alt.Axis(title="days until stress")),
            alt.Color("line:N", scale=_LINES, legend=_legend(3 if width == WIDE else 1)),
        )
    )


def _legend(columns: int) -> alt.Legend:
    return alt.Legend(title=None, orient="top", columns=columns, columnPadding=32, labelFontSize=12)
