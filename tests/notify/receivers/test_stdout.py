"""A line on standard output."""

from __future__ import annotations

import pytest

from notify.config import STDOUT
from notify.notice import Notice
from tests.notify.alerts import alert


def test_stdout_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    STDOUT.open().send(Notice((alert(),)))
    assert capsys.readouterr().out == (
        "Warning: Norderfeld ist trocken: größte Not | Since: 12:00, 1 May 2026, UTC, for 0 s | Value: 0.1 (limit 0.15)\n"
    )
