"""What messages say for states and counters: declared or rejected alone, in TinyBeam's own JSON and in described messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.gateway import MqttMessage
from edge.intake.reader import Reader
from edge.reading import Reading, Rejected
from schemas.envelope import micros
from tests.edge.gateways import START, config

KINDS = {
    "door": {"kind": "state", "values": ["closed", "open"], "words": {"true": "closed", "false": "open", "1": "closed"}},
    "energy": {"kind": "counter"},
}
CLASS = {"name": "s", "devices": ["d*"], "channels": {"door": "", "energy": "kWh", "level": "m"}, "kinds": KINDS}


def read(values: dict[str, Any], **payload: Any) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """The values that are taken, and why others are not."""
    sensors = {**CLASS, **({"payload": {"time": "arrival", **payload}} if payload else {})}
    reader = Reader(config(Path(), sensors=[sensors]))
    content = values if payload else {"values": values}
    results = list(reader.read(MqttMessage("sensors/d1/readings", json.dumps(content).encode()), micros(START), "synced"))
    taken = {name: value for each in results if isinstance(each, Reading) for name, value in each.values.items()}
    return taken, [(each.reason, each.message) for each in results if isinstance(each, Rejected)]


@pytest.mark.parametrize("payload", [{}, {"unknown_channels": "ignore"}], ids=["native", "described"])
@pytest.mark.parametrize(
    ("said", "state"), [("open", 1), ("closed", 0), (True, 0), (False, 1), (1, 0), (1.0, 0), ("1", 0), (" open ", 1)], ids=repr
)
def test_a_state_is_known_by_its_name_or_by_a_word_for_it(said: Any, state: int, payload: dict[str, Any]) -> None:
    assert read({"door": said, "level": 2}, **payload) == ({"door": state, "level": 2.0}, [])


@pytest.mark.parametrize("payload", [{}, {"unknown_channels": "ignore"}], ids=["native", "described"])
@pytest.mark.parametrize("said", ["ajar", "OPEN", 0, 2, "", [1]], ids=repr)
def test_what_is_not_declared_is_rejected_alone(said: Any, payload: dict[str, Any]) -> None:
    values, [(reason, sentence)] = read({"door": said, "level": 2, "energy": 3}, **payload)
    assert (values, reason) == ({"level": 2.0, "energy": 3.0}, "undeclared_state")
    assert "its states are closed, open" in sentence


@pytest.mark.parametrize("payload", [{}, {"unknown_channels": "ignore"}], ids=["native", "described"])
def test_a_counter_below_nought_is_rejected_alone(payload: dict[str, Any]) -> None:
    values, [(reason, _)] = read({"energy": -1, "level": 2}, **payload)
    assert (values, reason) == ({"level": 2.0}, "out_of_range")


def test_a_counter_is_scaled_and_named_as_numbers_are() -> None:
    payload = {"rename": {"Wh": "energy"}, "units": {"energy": "kWh"}, "scale": {"energy": 0.001}, "text_numbers": "point"}
    assert read({"Wh": "1500"}, **payload) == ({"energy": 1.5}, [])


def test_a_kind_counts_more_than_booleans_of_a_preset() -> None:
    assert read({"door": "open"}, booleans=["door"]) == ({"door": 1.0}, [])


def test_a_wrap_is_where_the_message_counts_to() -> None:
    kinds = {"energy": {"kind": "counter", "wraps_at": 65536.0}}
    sensors = {**CLASS, "kinds": kinds, "payload": {"units": {"energy": "kWh"}, "scale": {"energy": 0.001}}}
    of_class = config(Path(), sensors=[sensors]).sensors[0]
    assert of_class.kinds["energy"].columns(of_class.factor("energy"))["wraps_at"] == pytest.approx(65.536)
