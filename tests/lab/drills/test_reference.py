"""The independent calculation of a drill: windows of raw readings, and that a wrong cell is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lab.drills.probes import RawReading
from lab.drills.reference import Cells, WindowKey, differences, expected

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def taken(minute: int, value: float, device: str = "soil-01") -> RawReading:
    return RawReading(device, minute, NOON + timedelta(minutes=minute), {"moisture": value})


def on_the_field(device_id: str, time: datetime) -> str:
    return "field"


def hours(*readings: RawReading) -> Cells:
    return expected(readings, on_the_field, 3600)


def test_a_window_holds_count_mean_minimum_and_maximum_of_its_readings() -> None:
    found = hours(taken(0, 0.1), taken(59, 0.4, "soil-02"), taken(60, 0.9))
    assert found == {
        WindowKey("field", "moisture", "m3/m3", NOON, 3600): (2, 0.25, 0.1, 0.4),
        WindowKey("field", "moisture", "m3/m3", NOON + timedelta(hours=1), 3600): (1, 0.9, 0.9, 0.9),
    }


def test_a_cell_that_differs_is_named_with_both_values() -> None:
    [text] = differences("site_windows", hours(taken(0, 0.1), taken(1, 0.1)), hours(taken(0, 0.1)))
    assert text == "site_windows.count of field moisture 2026-05-04 12:00 (3600 s): 1, not 2"


def test_a_window_that_is_missing_and_one_too_many_are_four_wrong_cells_each() -> None:
    assert len(list(differences("site_windows", hours(taken(0, 0.1)), {}))) == 4
    assert len(list(differences("site_windows", {}, hours(taken(0, 0.1))))) == 4


def test_what_is_equal_to_rounding_is_no_wrong_cell() -> None:
    assert not list(
        differences("site_windows", hours(taken(0, 0.1), taken(1, 0.2), taken(2, 0.3)), hours(taken(2, 0.3), taken(1, 0.2), taken(0, 0.1)))
    )
