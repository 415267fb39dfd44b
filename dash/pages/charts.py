"""Draws the charts of the pages, each for a phone and for a desk. Times are written in the place's zone, units stand at the axis.

Colours are Okabe and Ito's, and no line is told from another by its colour alone: limits are dashed or dotted, bars stand apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil, floor, log10
from typing import Any

import altair as alt

from dash.data.fields import Field
from dash.data.machines import Band, Machine
from dash.data.span import Span
from dash.pages.points import given_by_day, unbroken
from presentation.svg import INK, MUTED, NARROW, Chart, Points, both_widths
from program.local_time import zone_of

WATER, STRESS, RAIN, GIVEN, MODEL = "var(--blue)", "var(--vermillion)", "var(--blue)", "var(--green)", INK
LETTERS = 14
_AXIS_WIDTH = 60
_FLOOR = 0.01
"""The lowest score that a logarithm is taken of."""
_KEPT = 64
"""So many charts of a kind are not drawn again while their data are the same."""
_NOON = timedelta(hours=12)
_SHOWN = 14.0
"""Days that a forecast looks ahead."""


@lru_cache(_KEPT)
def moisture(field: Field, span: Span, description: str) -> str:
    """Draws moisture between where stress begins and what the soil can hold."""
    place = field.advice.time_zone
    points = unbroken([{"time": at.time, "mean": at.mean, "low": at.low, "high": at.high} for at in field.moisture])
    limits = [{"time": each.day, "full": each.full, "stress": each.stress} for each in field.days if each.full is not None]
    top = max([0.4, *(at.high for at in field.moisture), *(each.full or 0.0 for each in field.days)])

    def draw(width: int) -> Chart:
        x, scale = _time(span, place, width), alt.Scale(domain=[0, round(top + 0.02, 2)])
        y: dict[str, Any] = {"scale": scale, "axis": alt.Axis(title="m³ of water in m³ of soil", tickCount=5, format=".2f")}
        lines = [
            _of("limits").mark_line(color=colour, strokeWidth=2, strokeDash=dash).encode(x, alt.Y(f"{name}:Q", **y))
            for name, colour, dash in (("stress", STRESS, [6, 4]), ("full", MUTED, [2, 3]))
            if limits
        ]
        return _sized(alt.layer(*_means(x, y), *lines), width, 210)

    return _both_widths(draw, description, {"points": _placed(points, place), "limits": _placed(limits, place)})


@lru_cache(_KEPT)
def water(field: Field, span: Span, description: str) -> str:
    """Draws what came to the field and what it lacks, day by day (UTC), in mm, each amid its day; nothing of what there was none of."""
    place = field.advice.time_zone
    kinds = {"rain": RAIN, "given": GIVEN, "lacking": STRESS}
    days = [{"time": day.day + _NOON, "kind": "rain", "mm": day.rain_mm} for day in field.days if day.rain_mm]
    days += [{"time": day + _NOON, "kind": "given", "mm": amount} for day, amount in given_by_day(field.waterings).items()]
    days += [{"time": day.day + _NOON, "kind": "lacking", "mm": day.need_mm} for day in field.days if day.need_mm]
    rows = [kind for kind in kinds if any(day["kind"] == kind for day in days)]
    if not rows:
        return ""

    def draw(width: int) -> Chart:
        bars = _of("days").mark_bar(size=max(2, min(14, 300 // max(len(field.days), 1))))
        return alt.vconcat(
            *(
                _sized(
                    bars.transform_filter(alt.datum.kind == kind).encode(
                        _time(span, place, width, labelled=kind == rows[-1]),
                        alt.Y("mm:Q", axis=alt.Axis(title=f"{kind}, mm", tickCount=3), scale=alt.Scale(domainMin=0)),
                        color=alt.value(kinds[kind]),
                    ),
                    width,
                    84,
                )
                for kind in rows
            ),
            spacing=8,
        )

    return _both_widths(draw, description, {"days": _placed(days, place)})


@lru_cache(_KEPT)
def forecasts(field: Field, span: Span, description: str) -> str:
    """Draws the days until stress by balance and by model, the one that the advice rests on solid, the other dashed."""
    place, rests_on = field.advice.time_zone, field.advice.rests_on
    rows = [{"time": day.day + _NOON, "balance": day.balance_days, "model": day.model_days} for day in field.days]

    def draw(width: int) -> Chart:
        y: dict[str, Any] = {"scale": alt.Scale(domain=[0, _SHOWN], clamp=True), "axis": alt.Axis(title="days until stress", tickCount=5)}
        lines = [
            _of(name)
            .mark_line(
                color=colour,
                strokeWidth=2.6 if name == rests_on else 1.8,
                strokeDash=[1, 0] if name == rests_on else [5, 4],
                point={"color": colour, "size": 14},
            )
            .encode(_time(span, place, width), alt.Y(f"{name}:Q", **y))
            for name, colour in (("balance", GIVEN), ("model", MODEL))
        ]
        return _sized(alt.layer(*lines), width, 130)

    return _both_widths(
        draw, description, {name: _placed([row for row in rows if row[name] is not None], place) for name in ("balance", "model")}
    )


@lru_cache(_KEPT)
def scores(machine: Machine, span: Span, description: str) -> str:
    """Draws how far a machine sounds from normal, each line across ten times the one below, with the limits of the verdicts."""
    place = machine.now.time_zone
    points = unbroken(
        [{"time": at.time, "mean": max(at.mean, _FLOOR), "low": max(at.low, _FLOOR), "high": max(at.high, _FLOOR)} for at in machine.scores]
    )
    limits: list[dict[str, Any]] = [{"score": limit.score, "label": f"{limit.label} above"} for limit in machine.thresholds]
    top = 1.4 * max([1.0, *(at.high for at in machine.scores), *(limit.score for limit in machine.thresholds)])
    bottom = min([0.5, *(point["low"] for point in points)])

    def draw(width: int) -> Chart:
        x = _time(span, place, width)
        y: dict[str, Any] = {
            "scale": alt.Scale(type="log", domain=[bottom, top], nice=False, clamp=True),
            "axis": alt.Axis(title="distance from normal", values=_powers_of_ten(bottom, top), format="~g"),
        }
        rules = _of("limits").mark_rule(color=STRESS, strokeDash=[6, 4], strokeWidth=1.6).encode(alt.Y("score:Q", **y))
        texts = _of("limits").mark_text(color=INK, align="left", baseline="bottom", dx=4, dy=-3, fontSize=LETTERS)
        named = texts.encode(alt.Y("score:Q", **y), alt.Text("label:N"), x=alt.value(0))
        return _sized(alt.layer(*_means(x, y), *([rules, named] if limits else [])), width, 220)

    return _both_widths(draw, description, {"points": _placed(points, place), "limits": limits})


def _powers_of_ten(low: float, high: float) -> list[float]:
    """Returns those between: any other would be written at the end of an axis that does not reach it."""
    return [10.0**power for power in range(ceil(log10(low)), floor(log10(high)) + 1)]


@lru_cache(_KEPT)
def bands(inputs: tuple[Band, ...], description: str) -> str:
    """Draws each input of the model, now and at the begin of the span."""
    rows: list[dict[str, Any]] = [
        {"name": band.name, "now": band.now, "before": band.before, "place": place} for place, band in enumerate(inputs)
    ]

    def draw(width: int) -> Chart:
        name = alt.Y("name:N", sort=[row["name"] for row in rows], axis=alt.Axis(title=None, labelLimit=150, labelColor=INK))
        x = alt.X("now:Q", axis=alt.Axis(title="what the model is given", tickCount=4))
        chart = _of("bands")
        bars = chart.mark_bar(color=WATER, height=10).encode(name, x)
        marks = chart.mark_tick(color=STRESS, thickness=3, size=16).encode(name, alt.X("before:Q"))
        return alt.layer(bars, marks).properties(width=width - 160, height=alt.Step(22))

    return _both_widths(draw, description, {"bands": rows})


def _means(x: alt.X, y: Mapping[str, Any]) -> tuple[Chart, Chart, Chart]:
    """Draws the mean of each step as a line between the lowest and the highest, and as a dot where it is alone."""
    between = _of("points").mark_area(color=WATER, opacity=0.2).encode(x, alt.Y("low:Q", **y), alt.Y2("high:Q"), alt.Detail("part:N"))
    mean = _of("points").mark_line(color=WATER, strokeWidth=2).encode(x, alt.Y("mean:Q", **y), alt.Detail("part:N"))
    dots = _of("points").transform_filter(alt.datum.alone).mark_circle(color=WATER, size=20, opacity=1).encode(x, alt.Y("mean:Q", **y))
    return between, mean, dots


def _both_widths(draw: Callable[[int], Chart], description: str, named: Mapping[str, Points]) -> str:
    return both_widths(draw, description, named, LETTERS)


def _of(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _placed(rows: Points, place: str | None) -> Points:
    """Moves times so that written as UTC they read as the place's clock."""
    return [{key: _local(value, place) if isinstance(value, datetime) else value for key, value in row.items()} for row in rows]


def _local(at: datetime, place: str | None) -> datetime:
    return at.astimezone(zone_of(place)).replace(tzinfo=UTC)


def _time(span: Span, place: str | None, width: int, *, labelled: bool = True) -> alt.X:
    ends = [1000 * _local(at, place).timestamp() for at in (span.begin, span.end)]
    days = (span.end - span.begin).total_seconds() / 86_400
    form = "%H:%M" if days <= 2 else "%-d %b"
    axis = alt.Axis(title=None, format=form, tickCount=5 if width == NARROW else 10, labelOverlap=True, labels=labelled, ticks=labelled)
    return alt.X("time:T", scale=alt.Scale(type="utc", domain=ends, nice=False), axis=axis)


def _sized(chart: Chart, width: int, height: int) -> Chart:
    return chart.properties(width=width - _AXIS_WIDTH, height=height)
