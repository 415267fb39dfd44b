"""The table of attacks says what was tried: an attempt that is accepted is a failure, and every row has its test."""

from __future__ import annotations

import io
import json
from pathlib import Path

import msgspec
import pytest

from lab.attack import rows
from lab.attack.report import PAGE, RESULTS, ROOT, page
from lab.attack.rows import Row
from lab.attack.run import SUMMARY, run
from lab.console import Console
from tests.attack import Attack

ROW = Row(
    name="forged-name",
    attacker="publisher",
    attempt="names another gateway",
    outcome="rejected",
    test="tests/test_x.py::test_y",
    attempts=3,
    accepted=0,
    control="unchecked, 3 of 3 are accepted",
)


class TestsTwin:
    """Tests that write these rows, and pass or not."""

    __test__ = False

    def __init__(self, *found: Row, passes: bool = True) -> None:
        self._found, self._passes = found, passes

    def __call__(self, folder: Path, log: Path) -> bool:
        for row in self._found:
            rows.note(folder, row)
        return self._passes


def attacked(folder: Path, tests: TestsTwin) -> tuple[bool, str]:
    output = io.StringIO()
    return run(folder / "attack", Console(output), tests), output.getvalue()


def test_every_row_is_in_the_summary_and_a_test_with_parameters_adds_up(tmp_path: Path) -> None:
    sound, output = attacked(tmp_path, TestsTwin(ROW, ROW, msgspec.structs.replace(ROW, name="replay")))
    assert sound
    assert "2 attacks, 9 attempts, 0 accepted" in output
    summary = json.loads((tmp_path / "attack" / SUMMARY).read_bytes())
    assert (summary["attempts"], summary["accepted"]) == (9, 0)
    assert [(row["name"], row["attempts"]) for row in summary["attacks"]] == [("forged-name", 6), ("replay", 3)]


@pytest.mark.parametrize(
    ("tests", "sentence"),
    [
        (TestsTwin(msgspec.structs.replace(ROW, accepted=1)), "ACCEPTED  forged-name: 3 attempts, 1 accepted"),
        (TestsTwin(ROW, passes=False), "tests fail"),
        (TestsTwin(), "0 attacks"),
    ],
)
def test_what_is_accepted_fails_or_was_not_tried_is_no_success(tmp_path: Path, tests: TestsTwin, sentence: str) -> None:
    sound, output = attacked(tmp_path, tests)
    assert not sound
    assert sentence in output


def test_a_test_fails_by_an_attempt_that_is_accepted() -> None:
    tried = {name: value for name, value in msgspec.structs.asdict(ROW).items() if name not in {"name", "test"}}
    Attack("tests/test_x.py::test_y[1]")("forged-name", **tried)
    with pytest.raises(AssertionError, match="1 of 3 attempts were accepted"):
        Attack("tests/test_x.py::test_y")("forged-name", **tried | {"accepted": 1})
    with pytest.raises(msgspec.ValidationError):
        Attack("tests/test_x.py::test_y")("forged-name", **tried | {"control": ""})


def test_the_page_is_what_the_rows_say_and_each_names_a_test_that_is_there() -> None:
    assert (ROOT / PAGE).read_text() == page(ROOT), "run `python -m lab.attack.report` and commit"
    kept = rows.read(ROOT / RESULTS)
    assert kept
    for row in kept:
        file, _, test = row.test.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(), row.name
