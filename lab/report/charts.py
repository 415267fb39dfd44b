"""Draws the charts of the report, each from plain points. Colours are Okabe and Ito's, for all kinds of sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import altair as alt

from presentation.svg import INK, MUTED, NARROW, Chart, Points, data

WATER, ALARM, GOOD, FAULT = "var(--blue)", "var(--vermillion)", "var(--green)", "var(--orange)"

SMALL, MIDDLE = 164, 340
"""Widths of charts that stand side by side, as a phone shows them: many small ones, or two. A desk shows them a quarter larger."""

_SECONDS = "datum.value == 0 ? '0 s' : datum.label + ' s'"
_WORST_OR_NOT = alt.Scale(domain=[False, True], range=[FAULT, ALARM])
_AFFECTED_OR_NOT = alt.Scale(domain=[False, True], range=[GOOD, FAULT])


def moisture_season(days: Points, balances: Points, top: float, top_need: float) -> Chart:
    """Draws one field: its moisture day by day between what its soil can hold and where stress begins, and below it what it lacks.

    `days`: day, mean [m3/m3]; `balances`: day, full, stress [m3/m3], need_mm [mm], which hangs from the line of nothing.
    """
    time, height = _day(None if balances else _months()), alt.Scale(domain=[0, top])
    line = alt.Chart(data(days)).mark_line(color=WATER, strokeWidth=2, strokeJoin="round")
    moisture = line.encode(time, alt.Y("mean:Q", scale=height, axis=_level([0, 0.2, 0.4], ".1f")))
    limits = [
        alt.Chart(data(balances)).mark_line(color=colour, strokeWidth=1, strokeDash=dash).encode(time, alt.Y(f"{name}:Q", scale=height))
        for name, colour, dash in (("full", MUTED, [2, 3]), ("stress", ALARM, [5, 3]))
        if balances
    ]
    drawn = alt.layer(*limits, moisture).properties(width=SMALL - 44, height=80)
    return alt.vconcat(drawn, _lacking(balances, top_need)).resolve_scale(x="shared") if balances else drawn


def _lacking(balances: Points, top_need: float) -> Chart:
    down = alt.Y("need_mm:Q", scale=alt.Scale(domain=[top_need or 1, 0]), axis=_level([0, 10 * (top_need // 10) or top_need], ".0f"))
    bars = alt.Chart(data(balances)).mark_bar(color=ALARM, opacity=0.7, size=2).encode(_day(_months()), down)
    return bars.properties(width=SMALL - 44, height=36)


def _day(axis: alt.Axis | None) -> alt.X:
    return alt.X("day:T", scale=alt.Scale(nice=False), axis=axis)


def _level(values: Sequence[float], form: str) -> alt.Axis:
    return alt.Axis(title=None, values=list(values), format=form, minExtent=26)


def score_history(scores: tuple[Points, Points], thresholds: Points, flags: Points, span: tuple[float, float]) -> Chart:
    """Draws one machine: its anomaly score over the season and, beside it, in the minute of real time; with the verdicts' thresholds.

    `scores`: time, score of the season; second, score of the minute. `thresholds`: score, text, worst (whether it is the highest);
    `flags`: time or second at which it was flagged; `span`: lowest and highest score shown.
    """
    value = alt.Y("score:Q", scale=alt.Scale(type="log", domain=list(span), nice=False, clamp=True), axis=_scores())
    bare = alt.Y("score:Q", scale=alt.Scale(type="log", domain=list(span), nice=False, clamp=True), axis=_scores(labels=False))
    seconds = alt.X("second:Q", scale=alt.Scale(domain=[0, 60], nice=False), axis=alt.Axis(title=None, values=[0, 60], labelExpr=_SECONDS))
    season = _scored(scores[0], [flag for flag in flags if "time" in flag], alt.X("time:T", axis=_months()), value)
    live = _scored(scores[1], [flag for flag in flags if "second" in flag], seconds, bare)
    limits = alt.Chart(data(thresholds))
    colour = alt.Color("worst:N", scale=_WORST_OR_NOT, legend=None)
    rules = limits.mark_rule(strokeDash=[5, 4])
    labels = limits.mark_text(align="left", baseline="bottom", dx=4, dy=-3, fontSize=12)
    left = alt.layer(season, rules.encode(value, colour), labels.encode(value, alt.Text("text:N"), colour, x=alt.value(0)))
    right = alt.layer(live, rules.encode(bare, colour))
    return alt.hconcat(left.properties(width=MIDDLE - 142, height=130), right.properties(width=70, height=130), spacing=14)


def _scored(scores: Points, flags: Points, time: Any, value: Any) -> Chart:
    line = alt.Chart(data(scores)).mark_line(color=WATER, strokeWidth=1.4, strokeJoin="round").encode(time, value)
    return alt.layer(line, alt.Chart(data(flags)).mark_rule(color=ALARM, strokeWidth=2).encode(time))


def _scores(*, labels: bool = True) -> alt.Axis:
    return alt.Axis(title=None, tickCount=3, format="~g", labels=labels)


def batch_paths(batches: Points, faults: Points, seconds: float, lanes: Sequence[str], width: int) -> Chart:
    """Draws the path of each batch: its readings are taken at the top of a gateway's lane, and are in the warehouse at the tip below.

    `batches`: lane, first, newest, visible, affected (seconds, and whether a fault affected it); `faults`: lane, begin, end, text.
    """
    axis = {lane: alt.Axis(title="seconds since the sensors began", tickCount=8) if lane == lanes[-1] else None for lane in lanes}
    along = {lane: {"scale": alt.Scale(domain=[0, seconds], nice=False, zero=False), "axis": axis[lane]} for lane in lanes}
    return alt.vconcat(*(_lane(lane, _rows_of(lane, batches), _rows_of(lane, faults), along[lane], width) for lane in lanes), spacing=4)


def _rows_of(lane: str, rows: Points) -> Points:
    return [row for row in rows if row["lane"] == lane]


def _lane(name: str, batches: Points, faults: Points, along: dict[str, Any], width: int) -> Chart:
    """`along`: scale and axis of time."""
    corners = [
        corner | {"batch": number, "affected": batch["affected"]} for number, batch in enumerate(batches) for corner in _corners(batch)
    ]
    shades = data(faults)
    height = alt.Y("height:Q", scale=alt.Scale(domain=[0, 1]), axis=None)
    shade = alt.Chart(shades).mark_rect(color=FAULT, opacity=0.15).encode(alt.X("begin:Q", **along), alt.X2("end:Q"))
    labels = (
        alt.Chart(shades)
        .mark_text(color=INK, align="left", baseline="bottom", dx=3, dy=-3, fontSize=12)
        .encode(alt.X("begin:Q", **along), alt.Text("text:N"), y=alt.value(96))
    )
    paths = (
        alt.Chart(data(corners))
        .mark_line(filled=True, fillOpacity=0.35, strokeWidth=1.2, strokeJoin="round")
        .encode(
            alt.X("second:Q", **along),
            height,
            alt.Detail("batch:N"),
            alt.Order("corner:Q"),
            alt.Stroke("affected:N", scale=_AFFECTED_OR_NOT, legend=None),
            alt.Fill("affected:N", scale=_AFFECTED_OR_NOT, legend=None),
        )
    )
    title = alt.Title(name, anchor="start", color=INK, fontSize=13, fontWeight=600, offset=4)
    return alt.layer(shade, paths, labels).properties(width=width - 16, height=96, title=title)


def _corners(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the corners of a triangle, from where its readings were taken to where they became visible, and back."""
    corners = ((batch["first"], 1.0), (batch["newest"], 1.0), (batch["visible"], 0.0), (batch["first"], 1.0))
    return ({"second": second, "height": height, "corner": number} for number, (second, height) in enumerate(corners))


def latencies(dots: Points, marks: Points, longest: float, width: int) -> Chart:
    """Draws every batch as a dot above its latency. `dots`: seconds, height, affected; `marks`: seconds, text, height."""
    highest = max(dot["height"] for dot in dots)
    height = 34 + 13 * highest
    time = alt.X(
        "seconds:Q",
        scale=alt.Scale(domain=[0, longest], nice=False),
        axis=alt.Axis(title="seconds from the newest reading to its row", tickCount=8),
    )
    level = alt.Y("height:Q", scale=alt.Scale(domain=[-0.2, highest + 2.2]), axis=None)
    circles = (
        alt.Chart(data(dots), width=width - 20, height=height)
        .mark_circle(size=95, opacity=0.95)
        .encode(time, level, alt.Color("affected:N", scale=_AFFECTED_OR_NOT, legend=None))
    )
    rules = alt.Chart(data(marks)).mark_rule(color=INK, strokeDash=[3, 3]).encode(alt.X("seconds:Q"))
    texts = [_beside(mark, "right" if mark["seconds"] > longest / 2 else "left") for mark in marks]
    return alt.layer(rules, circles, *texts)


def _beside(mark: dict[str, Any], align: Literal["left", "right"]) -> Chart:
    text = alt.Chart(data([mark])).mark_text(color=INK, align=align, dx=4 if align == "left" else -4, fontSize=12, baseline="top")
    return text.encode(alt.X("seconds:Q"), alt.Y("height:Q"), alt.Text("text:N"))


def completeness(cells: Points, lanes: Sequence[str], width: int) -> Chart:
    """Draws each hour in which a gateway cut batches, and whether all of them arrived. `cells`: gateway_id, hour, whole."""
    colour = alt.Color("whole:N", scale=alt.Scale(domain=[True, False], range=[GOOD, ALARM]), legend=None)
    lane = alt.Y("gateway_id:N", sort=list(lanes), axis=alt.Axis(title=None, labelColor=INK, labelLimit=110, minExtent=100))
    return (
        alt.Chart(data(cells), width=width - 116, height=alt.Step(26))
        .mark_tick(thickness=2 if width > NARROW else 1, size=16, opacity=1)
        .encode(alt.X("hour:T", axis=_months()), lane, colour)
    )


def _months() -> alt.Axis:
    return alt.Axis(title=None, format="%b", tickCount={"interval": "month", "step": 1}, labelOverlap=True)
