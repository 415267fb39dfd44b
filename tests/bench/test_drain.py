"""The benchmark of draining finds a gateway that keeps its promise."""

from __future__ import annotations

from pathlib import Path

from bench import drain


def test_what_is_live_waits_for_no_backlog(tmp_path: Path) -> None:
    figures = drain.drain(tmp_path, drain.QUICK, lambda _: None)
    event, live, backlog = (figure.value for figure in figures)
    assert event is not None
    assert live is not None
    assert 0 <= event <= drain.EVENT_SECONDS
    assert 0 <= live <= drain.LIVE_SECONDS
    assert backlog
