from dataclasses import replace
from datetime import timedelta
from typing import Any

from edge.models.bundle import Bundle
from lab.acts.gateways import BUNDLES
from lab.report.query_results import QueryResults
from lab.report.sections import machines
from tests.lab.acts.test_run_record import RECORD, T

VIBRATION = Bundle.load(BUNDLES / "vibration")

NAMED = ({"device_id": "machine-a", "name": "Pump"},)
EMPTY = replace(QueryResults(**dict.fromkeys(QueryResults.__slots__, ())), devices=NAMED)


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


def test_a_machine_is_flagged_by_the_first_event_with_the_worst_label() -> None:
    events = (
        _event("machine-a", 1, "worn"),
        _event("machine-a", 2, "failing"),
        _event("machine-a", 4, "failing"),
        _event("machine-b", 3, "worn"),
    )
    scores = tuple(_score(device, seconds, 1.0) for device in ("machine-a", "machine-b") for seconds in (-9000, -5000, 1, 5))
    shown = machines.content(RECORD, replace(EMPTY, scores=scores, label_changes=events), VIBRATION)
    assert [(chart["name"], chart["flagged"]) for chart in shown] == [("Pump", T + timedelta(seconds=2)), ("machine-b", None)]
    assert "1 of 2 machines are flagged: Pump." in machines.lede(shown)


def test_a_message_is_said_to_be_sent_where_one_was() -> None:
    alert = replace(RECORD.alerts[0], subject="machine-a")
    events = tuple(_event(device, at, "failing") for device, at in (("machine-a", 2), ("machine-b", 2), ("machine-c", -9000)))
    scores = tuple(_score(device, 1, 1.0) for device in ("machine-a", "machine-b", "machine-c", "machine-d"))
    shown = machines.content(replace(RECORD, alerts=(alert,)), replace(EMPTY, scores=scores, label_changes=events), VIBRATION)
    told = {machine["name"]: machine["told"] for machine in shown}
    assert told == {
        "Pump": "a message was sent",
        "machine-b": "no message was sent",
        "machine-c": "in history, of which nobody is notified",
        "machine-d": "",
    }


def test_scores_of_the_minute_are_separated_from_those_of_the_season() -> None:
    rows = tuple(_score("machine-a", seconds, seconds) for seconds in (-7200, -3600, 0, 5))
    season, minute = machines._scores(RECORD, rows)
    assert [point["score"] for point in season] == [-7200, -3600]
    assert minute == [{"second": 0.0, "score": 0}, {"second": 5.0, "score": 5}]
