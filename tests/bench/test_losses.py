"""The benchmark of losses, at a size of seconds: TinyBeam comes through a crash, and a gateway that loses is found out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench import losses
from bench.gateways.stand import DEVICES, Stand, published, times_shown
from bench.gateways.subject import Launch, Place, Span
from bench.gateways.telegraf import _span

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="mosquitto is not installed (apt install mosquitto)",
)
SIZE = losses.Size(rate=100, seconds=2.0, after_seconds=0.0, start_seconds=0.1)


class Forgetful:
    """A gateway whose output has one reading twice and lacks the last one of each device."""

    name = "forgetful"

    def launch(self, place: Place) -> Launch:
        return Launch(["sleep", "60"])

    def spans(self, place: Place) -> list[Span]:
        lasts = dict(published(SIZE.readings))
        return [Span(device, 0, last - 1, last) for device, last in lasts.items()] + [Span("soil-000", 0, 0, 1)]


def test_what_never_shows_up_and_what_shows_up_twice_are_counted(tmp_path: Path) -> None:
    found = losses.count([(0.5, Stand.crash)], Forgetful(), tmp_path / "stand", SIZE)
    assert found == losses.Count(lost=DEVICES, doubled=1)


@pytest.mark.parametrize(("count", "shown"), [(6, [2, 2, 1, 1]), (4, [1, 1, 1, 1]), (2, [1, 0, 0, 1])])
def test_a_row_shows_as_many_readings_as_it_counts(count: int, shown: list[int]) -> None:
    times = times_shown([Span("soil-000", 0, 3, count)])
    assert [times["soil-000", number] for number in range(4)] == shown


def test_a_metric_of_telegraf_is_a_span() -> None:
    fields = {"values_temperature_count": 3, "values_temperature_min": 4, "values_temperature_max": 6}
    assert _span({"fields": fields, "tags": {"device": "soil-001"}}) == Span("soil-001", 4, 6, 3)  # type: ignore[dict-item]
