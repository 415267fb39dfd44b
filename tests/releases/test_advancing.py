"""What a timer asks the warehouse for, and what a person may do once a step has waited for too long."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from releases import advancing, rollouts
from releases.health import Health
from releases.rollout import Decision, Rollout
from tests.releases.publisher import NOW, Publisher

DAY = timedelta(days=1)
WAITING = [Health(model="soil", release=2, control=1, gateways=1, device_days=31, control_device_days=300)]


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    """Release 2 of soil on its first step, since NOW."""
    publisher = Publisher(tmp_path)
    for _ in range(2):
        release = publisher.release()
    publisher.roll_out(release)
    return publisher


def asked_from(publisher: Publisher, now: datetime) -> datetime:
    return advancing.asked_from(publisher.repository, rollout(publisher), now)


def rollout(publisher: Publisher) -> Rollout:
    return rollouts.existing(publisher.repository, "soil")


def advanced(publisher: Publisher, days: float, **options: Any) -> tuple[str, float, tuple[str, ...]]:
    decision = advancing.advance(publisher.repository, "soil", WAITING, NOW + days * DAY, **options)
    return decision.action, decision.share, decision.reasons


def test_all_that_a_canary_of_one_device_has_judged_is_asked_for_since_its_rollout_began(publisher: Publisher) -> None:
    assert asked_from(publisher, NOW + 40 * DAY) == NOW - 14 * DAY
    rollouts.decide(publisher.repository, "soil", Decision(time=NOW + 41 * DAY, action="advance", share=25))
    assert asked_from(publisher, NOW + 50 * DAY) == NOW - 14 * DAY
    assert asked_from(publisher, NOW + 400 * DAY) == NOW + (400 - 90 - 14) * DAY


def test_of_a_release_that_runs_everywhere_the_last_days_are_asked_for(publisher: Publisher) -> None:
    rollouts.decide(publisher.repository, "soil", Decision(time=NOW + 41 * DAY, action="advance", share=100))
    assert asked_from(publisher, NOW + 400 * DAY) == NOW + (400 - 14) * DAY


def test_a_step_that_has_waited_for_longer_than_the_longest_wait_is_a_persons_to_decide(publisher: Publisher) -> None:
    missing = "31 days of devices were judged, 100 are needed: 69 are missing; beside the control in its shadow 72 would do"
    assert advanced(publisher, 29) == ("wait", 5, (missing,))
    whose = "the step began 31 days ago, longest_days is 30: a person decides, by `advance --anyway` or `halt`"
    assert advanced(publisher, 31) == ("wait", 5, (missing, whose))


def test_a_person_lets_it_go_on_to_the_next_step_and_the_rollout_keeps_why(publisher: Publisher) -> None:
    action, share, (by, missing) = advanced(publisher, 3, anyway="looked at the fields")
    assert (action, share, by) == ("advance", 25, "a person let it go on: looked at the fields")
    assert "69 are missing" in missing
    assert (rollout(publisher).share, rollout(publisher).decisions[-1].reasons) == (25, (by, missing))
    assert advanced(publisher, 4, anyway="")[:2] == ("advance", 100)
    assert advanced(publisher, 5, anyway="")[:2] == ("wait", 100)


def test_no_person_lets_go_on_what_is_to_be_halted(publisher: Publisher) -> None:
    rows = json.loads('[{"model": "soil", "release": 2, "gateways": 2, "gateways_refused": 1}]')
    decision = advancing.advance(publisher.repository, "soil", [Health(**row) for row in rows], NOW + DAY, anyway="it will be fine")
    assert (decision.action, rollout(publisher).halted) == ("halt", True)
