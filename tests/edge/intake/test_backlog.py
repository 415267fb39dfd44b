"""What a broker kept is told from what is fresh, by how it comes."""

from __future__ import annotations

from edge.intake.backlog import Backlog


def held(backlog: Backlog, *times: float) -> list[bool]:
    return [backlog.may_hold(now) for now in times]


def test_messages_are_fresh_unless_a_session_was_kept() -> None:
    assert held(Backlog(), 0.0, 5.0) == [False, False]


def test_what_comes_without_a_pause_after_a_kept_session_may_have_waited() -> None:
    backlog = Backlog()
    backlog.begin(100.0)
    assert held(backlog, 100.5, 101.9, 102.1, 102.3, 102.6, 102.7) == [True, True, True, True, False, False]
    backlog.begin(200.0)
    assert held(backlog, 201.0, 203.0) == [True, False]


def test_a_flow_that_never_pauses_is_believed_again_after_two_minutes() -> None:
    backlog = Backlog()
    backlog.begin(0.0)
    assert held(backlog, *(tenth / 10 for tenth in range(1, 1300))).count(True) == 1200
