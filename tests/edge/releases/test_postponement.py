"""A release for which the machine was too slow is tried again, ever later, and not for ever."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from edge.models.bundle import BundleError
from edge.models.scorer import ScorerFailed, ScorerLate
from edge.releases.folder import ReleaseFolder
from edge.releases.postponement import MAX_TRIES

DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def folder(path: Path, clock: Clock) -> ReleaseFolder:
    found = ReleaseFolder(path, "soil", clock, Random(1))
    if not found.has(2):
        found.staging(2)
        found.commit(2)
    return found


def test_it_waits_and_then_may_be_tried(tmp_path: Path) -> None:
    clock = Clock()
    found = folder(tmp_path, clock)
    assert found.is_usable(2)
    found.postpone(2, "was not ready in time")
    assert not found.is_usable(2)
    assert found.waiting() == {2: "was not ready in time; it is tried again"}
    clock.now += 1200
    assert folder(tmp_path, clock).is_usable(2)


def test_what_is_late_is_tried_again(tmp_path: Path) -> None:
    found = folder(tmp_path, Clock())
    found.set_aside(2, ScorerLate("soil: the scorer is still starting"), "it failed when it was tried")
    assert found.waiting() == {2: "it failed when it was tried: soil: the scorer is still starting; it is tried again"}
    assert found.refused() == {}


@pytest.mark.parametrize("fault", [ScorerFailed("it died (signal 11)"), BundleError("golden case 0 is not met")])
def test_what_is_wrong_is_refused(tmp_path: Path, fault: Exception) -> None:
    found = folder(tmp_path, Clock())
    found.set_aside(2, fault)
    assert found.refused() == {2: str(fault)}
    assert found.waiting() == {}


def test_after_so_many_tries_it_is_refused(tmp_path: Path) -> None:
    clock = Clock()
    found = folder(tmp_path, clock)
    for _ in range(MAX_TRIES):
        assert found.may_try(2)
        found.postpone(2, "was not ready in time")
        clock.now += DAY
    assert not found.may_try(2)
    assert found.refused() == {2: f"was not ready in time, {MAX_TRIES} times"}
    assert found.postponed() == {}


def test_one_that_came_in_time_since_begins_anew(tmp_path: Path) -> None:
    clock = Clock()
    found = folder(tmp_path, clock)
    for _ in range(2 * MAX_TRIES):
        found.postpone(2, "was not ready in time")
        found.end_postponement(2)
    assert found.refused() == {}


def test_a_clock_that_was_set_back_holds_nothing_for_years(tmp_path: Path) -> None:
    clock = Clock()
    found = folder(tmp_path, clock)
    found.postpone(2, "was not ready in time")
    clock.now -= 100 * DAY
    assert found.is_usable(2)
