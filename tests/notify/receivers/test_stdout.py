"""A line on standard output."""

from __future__ import annotations

import pytest

from notify.config import STDOUT
from tests.notify.alerts import alert


def test_stdout_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    STDOUT.open().send(alert(), "")
    assert capsys.readouterr().out == "2026-05-01 12:00:00 [warning] dry opened: Norderfeld ist trocken: größte Not\n"
