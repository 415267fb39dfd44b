"""Parameters from text, and rows to text."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from sql.present import as_csv, as_json, table
from sql.questions import ParameterError, bind, moment
from sql.scripts import Script

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEADER = """-- What?
-- @at timestamp = now - 2 hours: when
-- @count int64 = 3: how many
-- @share float64 = 0.5: how much
-- @name string = a b: who
select 1;"""
SCRIPT = Script("queries", "q", HEADER)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("now", NOW),
        ("now - 7 days", datetime(2026, 4, 24, 12, tzinfo=UTC)),
        ("now + 1 minute", datetime(2026, 5, 1, 12, 1, tzinfo=UTC)),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T14:00:00+02:00", NOW),
    ],
)
def test_a_moment_is_read(text: str, time: datetime) -> None:
    assert moment(text, NOW) == time
    assert moment(text, NOW).tzinfo == UTC


def test_parameters_that_are_not_given_take_their_defaults() -> None:
    bound = {parameter.name: (parameter.type_, parameter.value) for parameter in bind(SCRIPT, {"count": "4"}, NOW)}
    assert bound == {
        "at": ("TIMESTAMP", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        "count": ("INT64", 4),
        "share": ("FLOAT64", 0.5),
        "name": ("STRING", "a b"),
    }


@pytest.mark.parametrize(
    ("name", "value"), [("count", "many"), ("at", "yesterday"), ("share", ""), ("at", "now - 99999999999 days"), ("nonesuch", "1")]
)
def test_a_parameter_that_does_not_fit_is_named(name: str, value: str) -> None:
    with pytest.raises(ParameterError, match=name):
        bind(SCRIPT, {name: value}, NOW)


ROWS = [
    {"device": "soil-1", "score": 3.25, "seen": NOW, "payload": b"\x00", "ranges": [1, 2], "late": True},
    {"device": 'a, "b"', "score": None, "seen": None, "payload": None, "ranges": [], "late": False},
]
NAMES = list(ROWS[0])


def test_a_table_is_aligned() -> None:
    assert table(["device", "score"], ROWS).splitlines() == ["device  score", "------  -----", "soil-1   3.25", 'a, "b"']
    assert table(["device"], []).splitlines() == ["device", "------"]


def test_json_and_csv_hold_every_value() -> None:
    read = json.loads(as_json(ROWS))
    assert read[0] == {"device": "soil-1", "score": 3.25, "seen": "2026-05-01T12:00:00Z", "payload": "AA==", "ranges": [1, 2], "late": True}
    lines = list(csv.DictReader(io.StringIO(as_csv(NAMES, ROWS))))
    assert lines[0] == {
        "device": "soil-1",
        "score": "3.25",
        "seen": "2026-05-01T12:00:00Z",
        "payload": "AA==",
        "ranges": "[1, 2]",
        "late": "True",
    }
    assert lines[1]["device"] == 'a, "b"'
