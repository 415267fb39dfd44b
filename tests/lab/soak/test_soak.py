"""A long run keeps what holds, goes on where it ended, and the page says nothing that did not run."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from lab.console import Console
from lab.soak import figures
from lab.soak.promises import PROMISES, long_forms
from lab.soak.report import PAGE, ROOT, page
from lab.soak.run import run


class TestsTwin:
    """Tests that note their figures, and pass or not."""

    __test__ = False

    def __init__(self, *, passes: bool = True, **fields: object) -> None:
        self.ran: list[str] = []
        self._passes, self._fields = passes, fields

    def __call__(self, name: str, folder: Path, log: Path) -> bool:
        self.ran.append(name)
        figures.note(folder, name, **self._fields)
        return self._passes


def soak(folder: Path, tests: TestsTwin, *, again: bool = False) -> tuple[bool, str]:
    output = io.StringIO()
    return run(folder, ["R1", "R2"], Console(output), tests, again=again), output.getvalue()


def test_what_is_done_is_kept_and_not_run_again(tmp_path: Path) -> None:
    assert soak(tmp_path, first := TestsTwin(asked="all", measured="7 of 7", seed=5))[0]
    assert soak(tmp_path, second := TestsTwin())[0]
    assert (first.ran, second.ran) == (["R1", "R2"], [])
    assert figures.read(tmp_path, "R2").measured == "7 of 7"
    assert soak(tmp_path, third := TestsTwin(asked="all", measured="8 of 8"), again=True)[0]
    assert third.ran == ["R1", "R2"]
    assert figures.read(tmp_path, "R1").measured == "8 of 8"


@pytest.mark.parametrize(
    ("tests", "sentence"), [(TestsTwin(passes=False, asked="a", measured="b"), "its tests fail"), (TestsTwin(), "no figures")]
)
def test_what_does_not_hold_leaves_no_figure(tmp_path: Path, tests: TestsTwin, sentence: str) -> None:
    sound, output = soak(tmp_path, tests)
    assert not sound
    assert sentence in output
    assert "NOT all hold: R1, R2" in output
    assert figures.read(tmp_path, "R1") is None


def test_figures_come_piece_by_piece_and_an_unknown_field_is_refused(tmp_path: Path) -> None:
    figures.note(tmp_path, "R2", measured="9 cuts", asked="all")
    figures.note(tmp_path, "R2", control="3 lost")
    assert figures.read(tmp_path, "R2") == figures.Figures(promise="R2", asked="all", measured="9 cuts", control="3 lost")
    with pytest.raises(msgspec.ValidationError):
        figures.note(tmp_path, "R2", lost=0)


def test_the_page_is_what_the_figures_say() -> None:
    assert (ROOT / PAGE).read_text() == page(ROOT), "run `python -m lab.soak.report` and commit"


def test_every_long_form_has_its_tests() -> None:
    assert set(long_forms()) >= {"R1", "R2", "R9"}
    assert [test for promise in PROMISES.values() for test in promise.tests if not (ROOT / test.partition("::")[0]).is_file()] == []
