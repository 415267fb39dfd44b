"""Fields: what each needs; and one field over time, with both forecasts and the one that the advice rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import inf
from typing import Any

from dash.data import fields
from dash.data.fields import Field, FieldAdvice
from dash.pages import charts
from dash.pages.page import Asking, Missing, Page
from dash.pages.ranges import ranges
from dash.pages.tasks import OLD, needs_water_soon, outlook, water
from dash.pages.times import when

DAYS = 30
_ORDER = ("water", "unknown", "wait")
_STATE = {"water": "now", "unknown": "look", "wait": "well"}


def _overview(asking: Asking) -> dict[str, Any]:
    advised = sorted(fields.overview(asking.questions, asking.now), key=_most_urgent_first)
    return {"fields": [(field, verdict(field, asking.now), _state(field, asking.now), _heard(field, asking.now)) for field in advised]}


def _state(field: FieldAdvice, now: datetime) -> str:
    """Says how a field is coloured: what was well is not known to be well now."""
    if field.action == "wait" and _is_old(field, now):
        return "look"
    return "soon" if needs_water_soon(field) else _STATE[field.action]


def _most_urgent_first(field: FieldAdvice) -> tuple[int, float, str]:
    return _ORDER.index(field.action), inf if field.days is None else field.days, field.name


def verdict(field: FieldAdvice, now: datetime) -> str:
    """Says in a sentence what to do."""
    if field.action == "water":
        return water(field, now)
    if field.action == "unknown":
        return f"No advice: {field.why or 'why is not known'}"
    if _is_old(field, now):
        return f"Not known now: when it was heard last, it had {outlook(field)}"
    return f"{'Needs water soon' if needs_water_soon(field) else 'No water needed'}: {outlook(field)}"


def _is_old(field: FieldAdvice, now: datetime) -> bool:
    return field.heard_time is not None and now - field.heard_time > OLD


def _heard(field: FieldAdvice, now: datetime) -> str:
    """Says of when the moisture is: an hour of which the end is known."""
    if field.heard_time is None:
        return "never heard"
    if field.heard_time > now:
        return "heard in this hour"
    return f"last heard in the hour to {when(field.heard_time, now, field.time_zone)}{', so this is old' if _is_old(field, now) else ''}"


def _field(asking: Asking) -> dict[str, Any]:
    span = asking.span(DAYS)
    field = fields.read(asking.questions, asking.place["site_id"], span)
    if field is None:
        raise Missing("There is no field of this name that you may see.")
    name, at = field.advice.name, span.end
    return {
        "field": field,
        "verdict": verdict(field.advice, at),
        "heard": _heard(field.advice, at),
        "forecasts": _forecasts(field.advice),
        "ranges": ranges(asking, span, DAYS, field.advice.time_zone),
        "moisture_chart": charts.moisture(field, span, _moisture_words(field)) if field.moisture else "",
        "water_chart": charts.water(field, span, f"Rain, water given and water lacking at {name}, day by day in mm") if field.days else "",
        "forecast_chart": charts.forecasts(field, span, f"Days until stress at {name}, by the balance and by the model")
        if field.days
        else "",
        "not_heard": list(_not_heard(field)),
        "export": f"/export/field/{field.advice.site_id}.csv",
    }


def _not_heard(field: Field) -> Iterator[str]:
    """Says why a bar is missing: that nothing is known is not that nothing fell."""
    if all(day.rain_mm is None for day in field.days):
        yield "No rain gauge was heard in these days."
    elif not any(day.rain_mm for day in field.days):
        yield f"No rain fell in these days{_known(day.rain_mm for day in field.days)}."
    if not field.waterings:
        yield "Nobody said that they watered it: that is answered at an alert."
    if all(day.need_mm is None for day in field.days):
        yield "There is no water balance of these days."
    elif not any(day.need_mm for day in field.days):
        yield f"It lacked no water{_known(day.need_mm for day in field.days)}."


def _known(values: Iterable[float | None]) -> str:
    return ", as far as is known" if None in values else ""


def _moisture_words(field: Field) -> str:
    means = [point.mean for point in field.moisture]
    between = f"lowest {min(means):.2f}, highest {max(means):.2f}"
    return f"Soil moisture of {field.advice.name}, from {means[0]:.2f} to {means[-1]:.2f} m³/m³, {between}"


def _forecasts(field: FieldAdvice) -> list[tuple[str, str, bool]]:
    """Lists both forecasts: name, days until stress in words, whether the advice rests on it."""
    model = _until(field.model_days)
    if field.model_days is not None and field.model_uncertainty:
        model += f", give or take {field.model_uncertainty / 2:.0f}"
    return [
        ("Water balance: knows crop, soil and season", _until(field.balance_days), field.rests_on == "balance"),
        ("Small model on the gateway: knows the probe alone", model, field.rests_on == "model"),
    ]


def _until(days: float | None) -> str:
    if days is None:
        return "has no forecast"
    if days <= 0:
        return "in stress now"
    return "more than 13 days until stress" if days >= 13 else f"{days:.1f} days until stress"


OVERVIEW = Page("/fields", "Fields", "fields.html.j2", _overview)
FIELD = Page("/fields/{site_id}", "", "field.html.j2", _field)
