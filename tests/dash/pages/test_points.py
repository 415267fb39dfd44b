"""A line is drawn where something was heard, and water by the days of the balance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dash.data import fields
from dash.data.fields import Moisture, Watering
from dash.data.span import Span
from dash.data.viewer import Viewer
from dash.pages import charts
from dash.pages.points import given_by_day, unbroken
from tests.dash.farm import DAY, HOUR, FarmWarehouse

START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "parts", "alone"),
    [
        ([], [], []),
        ([0], [0], [True]),
        ([0, 1, 2, 5, 9], [0, 0, 0, 0, 1], [False, False, False, False, True]),
        ([0, 6, 12, 18, 60, 66], [0, 0, 0, 0, 1, 1], [False] * 6),
        ([0, 0.05, 0.1, 1.5, 1.55, 3.2], [0, 0, 0, 0, 0, 1], [False] * 5 + [True]),
    ],
)
def test_a_line_is_broken_by_silence_and_not_by_the_pace_of_a_sensor(hours: list[float], parts: list[int], alone: list[bool]) -> None:
    told = unbroken([{"time": START + hour * HOUR} for hour in hours])
    assert [(point["part"], point["alone"]) for point in told] == list(zip(parts, alone, strict=True))


def test_a_chart_has_no_line_through_a_silent_week_and_a_dot_for_who_was_heard_once(farm: FarmWarehouse) -> None:
    span = Span(START, START + 20 * DAY)
    field = fields.read(farm.asked_by(Viewer()), "river", span)
    assert field
    heard = [START + hour * HOUR for hour in (*range(48), *range(240, 288), 400)]
    points = tuple(Moisture(time, 0.2, 0.19, 0.21) for time in heard)
    drawn = charts.moisture(type(field)(field.advice, field.area_m2, points, (), (), ()), span, "moisture")
    wide = drawn.partition('<div class="narrow">')[0]
    assert wide.count('class="mark-line') == 3
    assert wide.count("mark-symbol") == 1


def test_what_was_given_twice_on_a_day_is_one_sum_of_that_day() -> None:
    waterings = [Watering(START + hours * HOUR, 10.0, None) for hours in (1, 22, 25)]
    assert given_by_day(waterings) == {START: 20.0, START + timedelta(days=1): 10.0}
