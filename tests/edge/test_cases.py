"""`tinybeam edge test`: a farm's own cases for its own configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.__main__ import cli
from edge.rehearsal import pairs
from tests.edge.test_dry_run import READINGS, SETTINGS

EXPECTED = """
  { kind = "summaries", device_id = "air-1", channel = "co2", count = 2, mean = 1100, window_start = 2026-05-01T12:00:00Z },
  { kind = "events", device_id = "air-1", rule = "stuffy", state = "high", value = 1600 },
  { kind = "rejects", device_id = "air-1", reason = "wrong_type" },
  { kind = "rejects", reason = "no_sensor_class" },
"""


def outcome(folder: Path, expected: str = EXPECTED, more: str = "", messages: str = READINGS) -> Result:
    (folder / "gateway.toml").write_text(SETTINGS)
    file = folder / "gateway.test.toml"
    lines = ", ".join(f"'{line}'" for line in messages.splitlines())
    file.write_text(f'[[cases]]\nname = "a stuffy room"\nmessages = [{lines}]\nexpected = [{expected}]\n{more}\n')
    return CliRunner().invoke(cli, ["test", str(file)])


def test_a_case_whose_rows_are_as_expected_is_ok(tmp_path: Path) -> None:
    result = outcome(tmp_path)
    assert (result.exit_code, result.output) == (0, "ok  a stuffy room\n1 cases, 0 failed\n")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("value = 1600", "value = 1599", ["missing: kind=events", "unexpected: events air-1 stuffy: normal -> high at 1600"]),
        ("mean = 1100", "mean = 1101", ["missing: kind=summaries", "came: summaries air-1 co2: 2 values, mean 1100 ppm"]),
        ("12:00:00Z", "12:01:00Z", ["missing: kind=summaries", "came: summaries"]),
        ('  { kind = "rejects", reason = "no_sensor_class" },\n', "", ["unexpected: rejects water-1: no_sensor_class"]),
    ],
)
def test_what_is_missing_and_what_is_too_many_is_said(tmp_path: Path, before: str, after: str, lines: list[str]) -> None:
    result = outcome(tmp_path, EXPECTED.replace(before, after))
    assert result.exit_code == 1
    head, *found, foot = result.output.splitlines()
    assert (head, foot) == ("FAILED  a stuffy room", "1 cases, 1 failed")
    assert [line.strip().startswith(start) for line, start in zip(found, lines, strict=True)] == [True] * len(lines)


def test_rows_of_a_kind_that_is_complete_are_all_expected(tmp_path: Path) -> None:
    without = "\n".join(line for line in EXPECTED.splitlines() if "summaries" not in line)
    assert outcome(tmp_path, without).exit_code == 0
    more = 'complete = ["summaries", "events", "rejects"]'
    assert "unexpected: summaries air-1 co2" in outcome(tmp_path, without, more).output


@pytest.mark.parametrize(
    ("expected", "messages", "sentence"),
    [
        ('{ kind = "summary" }', READINGS, "expected[1].kind must be one of summaries, "),
        ('{ kind = "events", status = "high" }', READINGS, "expected[1].status: events have no such column; theirs are "),
        ("", "no message\n", "messages: 1 lines are no messages: line 1: "),
    ],
)
def test_a_case_that_cannot_be_understood_is_a_mistake_of_its_file(tmp_path: Path, expected: str, messages: str, sentence: str) -> None:
    result = outcome(tmp_path, expected, messages=messages)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {tmp_path}/gateway.test.toml: ")
    assert sentence in result.stderr


def test_an_expectation_that_says_less_takes_no_row_from_one_that_says_more() -> None:
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}]
    assert pairs([{"a": 1}, {"b": 1}, {"b": 2}], rows).keys() == {0, 1, 2}
    assert len(pairs([{"a": 2}, {"a": 2}], rows)) == 1
