"""Rules are tested like code: a file of cases, a clear difference, an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.alerts.command import cli

SHIPPED = Path(__file__).parents[3] / "lab" / "world" / "alerts.test.toml"
REGISTRY = """
[[sites]]
site_id = "north"
name = "North Field"
[[devices]]
device_id = "d1"
kind = "soil"
site_id = "north"
[[rules]]
name = "frost"
source = "event"
event = "frost"
opens = ["low"]
[[rules]]
name = "hot"
source = "site_window"
channel = "temperature"
window_seconds = 3600
above = 35.0
hysteresis = 1.0
for_seconds = 3600
"""
EVENT = '{ at = "1h", event = "frost", device = "d1", state = "low", value = -1.5 }'
OPENED = '{ rule = "frost", subject = "d1", state = "opened", at = "1h", notified = true, message = "North Field, d1" }'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "registry.toml").write_text(REGISTRY)
    return tmp_path


def case(given: str, expected: str = "") -> str:
    return f'[[cases]]\nname = "this one"\ngiven = [{given}]\nexpected = [{expected}]\n'


def run(folder: Path, text: str, *options: str) -> Result:
    path = folder / "alerts.test.toml"
    path.write_text(text)
    return CliRunner().invoke(cli, ["test", str(path), *options])


def test_the_shipped_cases_hold() -> None:
    result = CliRunner().invoke(cli, ["test", str(SHIPPED)])
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "3 cases, 0 failed")


def test_a_case_that_holds_is_ok(folder: Path) -> None:
    result = run(folder, case(EVENT, OPENED))
    assert (result.exit_code, result.output) == (0, "ok  this one\n1 cases, 0 failed\n")


def test_what_differs_is_shown_line_by_line(folder: Path) -> None:
    result = run(folder, case(EVENT, OPENED.replace('at = "1h"', 'at = "2h"')))
    assert result.exit_code == 1
    assert result.output.splitlines()[:3] == [
        "FAILED  this one",
        "    -rule frost, subject d1, state opened, at 2h, notified true, message North Field, d1",
        "    +rule frost, subject d1, state opened, at 60m, notified true, message North Field, d1",
    ]


def test_a_row_that_nobody_expects_and_one_that_does_not_come_fail(folder: Path) -> None:
    unexpected = run(folder, case(EVENT))
    assert unexpected.exit_code == 1
    [line] = [line for line in unexpected.output.splitlines() if line.startswith("    +")]
    assert line.startswith(
        "    +rule frost, subject d1, state opened, at 60m, made 60m, notified true, value -1.5, message North Field, d1: "
    )
    missing = run(folder, case(EVENT.replace("low", "normal"), OPENED))
    assert (missing.exit_code, missing.output.splitlines()[1][:10]) == (1, "    -rule ")


def test_means_are_given_by_the_hour_and_a_condition_must_last(folder: Path) -> None:
    means = ", ".join(
        f'{{ at = "{at}h", channel = "temperature", site = "north", value = {value} }}' for at, value in ((0, 36), (1, 37), (2, 33))
    )
    expected = '{ rule = "hot", state = "opened", at = "1h", value = 37.0 }, { rule = "hot", state = "resolved", at = "2h" }'
    assert run(folder, case(means, expected)).exit_code == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (case(EVENT.replace("d1", "d9")), "'this one': given[1].device: 'd9' is not in the registry"),
        (case(EVENT.replace("1h", "soon")), "cases[1].given[1].at"),
        (case('{ at = "1h", device = "d1" }'), "exactly one of event, channel, column, delivered_by is needed"),
        (case('{ at = "1h", channel = "temperature", value = 1 }'), "site or device: one is needed beside channel"),
        ('registry = "none.toml"\n' + case(EVENT), "none.toml: cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_name(folder: Path, wrong: str, said: str) -> None:
    result = run(folder, wrong)
    assert result.exit_code == 2
    assert said in result.output
    assert "alerts.test.toml" in result.output or "none.toml" in result.output


def test_cases_are_chosen_by_a_part_of_their_name_and_none_is_a_failure(folder: Path) -> None:
    assert run(folder, case(EVENT, OPENED), "--only", "this").exit_code == 0
    none = run(folder, case(EVENT, OPENED), "--only", "other")
    assert (none.exit_code, none.output) == (1, "0 cases, 0 failed\n")


def test_other_rules_can_be_tried_on_the_same_cases(folder: Path) -> None:
    (folder / "stricter.toml").write_text(REGISTRY.replace('opens = ["low"]', 'opens = ["high"]'))
    result = run(folder, case(EVENT, OPENED), "--registry", str(folder / "stricter.toml"))
    assert result.exit_code == 1
