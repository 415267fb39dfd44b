"""What the sections of the report are filled with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from edge.models.bundle import Bundle
from lab.acts.gateways import BUNDLES
from lab.report import sections, sentences
from lab.report.findings import Findings
from tests.lab.acts.test_run_record import ALERT, RECORD, T

EMPTY = Findings(**dict.fromkeys(Findings.__slots__, ()))
VIBRATION = Bundle.load(BUNDLES / "vibration")


def _event(device: str, seconds: float, state: str) -> dict[str, Any]:
    return {"device_id": device, "time": T + timedelta(seconds=seconds), "previous_state": None, "state": state, "value": 1.0}


def _score(device: str, seconds: float, score: float) -> dict[str, Any]:
    time = T + timedelta(seconds=seconds)
    return {
        "device_id": device,
        "site_id": "mill",
        "time": time,
        "window_seconds": 5,
        "score": score,
        "label": "normal",
        "model_sha256": "ab",
    }


def _water(field: str, need_mm: float, days: float | None) -> dict[str, Any]:
    return {"field": field, "need_mm": need_mm, "need_m3": 10 * need_mm, "days_until_stress": days, "assumed": None}


def test_a_machine_is_flagged_by_the_first_event_with_the_worst_label() -> None:
    events = (
        _event("machine-a", 1, "worn"),
        _event("machine-a", 2, "failing"),
        _event("machine-a", 4, "failing"),
        _event("machine-b", 3, "worn"),
    )
    scores = tuple(_score(device, seconds, 1.0) for device in ("machine-a", "machine-b") for seconds in (-9000, -5000, 1, 5))
    shown = sections.machines(RECORD, replace(EMPTY, scores=scores, label_changes=events), VIBRATION)
    assert [(chart["name"], chart["flagged"]) for chart in shown] == [("a", T + timedelta(seconds=2)), ("b", None)]
    assert "1 of 2 machines are flagged: a." in sentences._machines(shown)


def test_scores_of_the_minute_are_separated_from_those_of_the_season() -> None:
    rows = tuple(_score("machine-a", seconds, seconds) for seconds in (-7200, -3600, 0, 5))
    season, minute = sections._scores(RECORD, rows)
    assert [point["score"] for point in season] == [-7200, -3600]
    assert minute == [{"second": 0.0, "score": 0}, {"second": 5.0, "score": 5}]


def test_a_fault_of_one_gateway_shades_its_lane_and_one_of_all_is_named_once() -> None:
    actions = (
        *RECORD.actions,
        replace(RECORD.actions[0], text="the uplink is cut", fault="the uplink was cut"),
        RECORD.actions[1],
    )
    shades = list(sections._faults(replace(RECORD, actions=actions), ["gateway-north", "gateway-south"]))
    assert [(shade["lane"], shade["text"]) for shade in shades] == [
        ("gateway-north", "killed"),
        ("gateway-north", "uplink cut"),
        ("gateway-south", ""),
    ]
    assert (shades[0]["begin"], shades[0]["end"]) == (15.0, 19.0)


def test_every_batch_is_a_triangle_and_those_that_a_fault_affected_are_counted() -> None:
    shown = sections.journeys(RECORD, EMPTY)
    assert (shown["batches"], shown["affected"], shown["longest"]) == (3, 1, 4.0)
    assert shown["chart"].count('fill-opacity="0.35"') == 2 * 3, "each is drawn for a phone and for a desk"


def test_fields_that_need_nothing_soon_are_named_in_one_sentence() -> None:
    water = (_water("Dry", 14.0, 0.0), _water("Soon", 0.0, 5.0), _water("Wet", 0.0, 14.0), _water("Odd", 0.0, None))
    shown = sections.irrigation(replace(EMPTY, irrigation_this_week=water))
    assert [row["field"] for row in shown["rows"]] == ["Dry", "Odd", "Soon"]
    assert shown["later"] == ["Wet"]
    assert (shown["thirsty"], shown["total_m3"], shown["fields"]) == (1, 140.0, 4)
    assert sentences._irrigation(shown).startswith("1 of 4 fields needs water today, 140 m³ in all.")


def test_the_newest_alert_comes_first_and_no_more_than_fit_are_shown() -> None:
    alerts = tuple(replace(ALERT, received=T + timedelta(seconds=number), message=str(number)) for number in range(11))
    shown = sections.alerts(replace(RECORD, alerts=alerts), replace(EMPTY, alerts=({"alert_id": "x", "historical": True},)))
    assert [alert["message"] for alert in shown["delivered"]] == ["10", "9", "8", "7", "6", "5", "4", "3"]
    assert (shown["more"], shown["historical"]) == (3, 1)


def test_a_gap_in_completeness_is_shown() -> None:
    hours = tuple(
        {
            "gateway_id": "a",
            "hour": T + timedelta(hours=number),
            "received": 2,
            "missing": number,
            "declared": 0,
            "completeness": 2 / (2 + number),
        }
        for number in range(2)
    )
    shown = sections.completeness(replace(EMPTY, completeness=hours))
    assert shown["gateways"] == [{"gateway_id": "a", "hours": 2, "received": 4, "missing": 1, "declared": 0}]
    assert "1 missing, none declared" in sentences._completeness(shown)
    assert "var(--vermillion)" in shown["chart"]
