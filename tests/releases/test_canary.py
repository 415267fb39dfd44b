"""M6: a bad release never reaches more than its canary, a good one reaches all, and what is decided has its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from releases.error import ReleaseError
from releases.fleet import with_reaches
from releases.health import Health, of, read
from releases.judgement import judge
from releases.rollout import Decision, Release, Rollout
from releases.thresholds import Thresholds
from tests import long_form
from tests.releases.fleets import BAD, GOOD, Conduct, Fleet
from tests.releases.publisher import NOW

SEED, GATEWAYS, DAYS = 20260501, 1_000, 6
FLEETS = long_form.number(1, 50)
"""Of each kind."""
LIMITS = Thresholds()


def rolled_out(conduct: Conduct, seed: int, limits: Thresholds = LIMITS, *, known: bool = True) -> tuple[Rollout, Fleet]:
    """A rollout that is decided on every day, and the fleet that it came to, which it knows or not."""
    random = Random(seed)
    rollout = Rollout(model="soil", release=2, previous=1, share=limits.steps[0], salt=f"{random.getrandbits(64):016x}")
    rollout = rollout.after(Decision(time=NOW, action="roll-out", share=rollout.share))
    fleet = Fleet(GATEWAYS, conduct, random)
    if known:
        rollout = with_reaches(rollout, dict.fromkeys(fleet.gateways, ()), limits.steps)
    for day in range(1, DAYS + 1):
        fleet.day(rollout)
        decision = judge(rollout, fleet.health(rollout), limits, NOW + timedelta(days=day))
        if decision.action != "wait":
            rollout = rollout.after(decision)
        if rollout.halted:
            break
    return rollout, fleet


def test_a_bad_release_never_reaches_more_than_its_canary() -> None:
    largest: dict[str, float] = {}
    for number in range(FLEETS):
        for kind, conduct in BAD.items():
            rollout, fleet = rolled_out(conduct, SEED + number)
            canary = {
                gateway
                for gateway in fleet.gateways
                if msgspec.structs.replace(rollout, share=LIMITS.steps[0], halted=False).chooses(gateway)
            }
            assert rollout.halted, f"seed {SEED + number}, {kind}"
            assert fleet.ran == canary, f"seed {SEED + number}, {kind}"
            assert len(fleet.ran) == GATEWAYS * LIMITS.steps[0] / 100, f"seed {SEED + number}, {kind}"
            largest[kind] = max(largest.get(kind, 0), len(fleet.ran) / GATEWAYS)
        long_form.progress(number, FLEETS)
    shares = ", ".join(f"{kind} {share:.1%}" for kind, share in largest.items())
    which = f"{FLEETS * len(BAD):,} bad releases on fleets of {GATEWAYS:,}, with a canary of {LIMITS.steps[0]:g} %"
    text = f"{which}: none ran beyond its canary, at most {shares} of the gateways"
    long_form.note("M6", measured=text, seed=SEED)


def test_a_good_release_reaches_all() -> None:
    halted = sum(rolled_out(GOOD, SEED + number)[0].halted for number in range(FLEETS))
    rollout, fleet = rolled_out(GOOD, SEED)
    assert (halted, rollout.share, len(fleet.ran)) == (0, 100, GATEWAYS)
    assert [one.action for one in rollout.decisions] == ["roll-out", "advance", "advance"]


def test_without_limits_a_bad_release_is_seen_to_reach_all_and_without_its_fleet_more_than_its_canary() -> None:
    deaf = Thresholds(
        max_refused=1, max_failures=1e9, max_events=1e9, min_not_normal=0, max_scoring=1e9, max_label_distance=1, max_score_distance=1
    )
    for kind in BAD:
        rollout, fleet = rolled_out(BAD[kind], SEED, deaf)
        assert (rollout.share, len(fleet.ran)) == (100, GATEWAYS), kind
    share = max(len(rolled_out(BAD["noisy"], SEED + number, known=False)[1].ran) for number in range(max(FLEETS, 5))) / GATEWAYS
    assert share > LIMITS.steps[0] / 100
    control = f"without limits each of the four kinds reaches 100% of the gateways; where the fleet is not known up to {share:.1%} run one"
    long_form.note("M6", control=control)


ROLLOUT = Rollout(
    model="soil", release=2, previous=1, share=5, salt="0123456789abcdef", decisions=(Decision(time=NOW, action="roll-out", share=5),)
)
FINE: Mapping[str, Any] = {"model": "soil", "release": 2, "control": 1, "gateways": 9, "device_days": 150, "control_device_days": 500}


def decided(hours: float = 30, **fields: Any) -> Decision:
    row = msgspec.convert({**FINE, **fields}, Health)
    return judge(ROLLOUT, row, LIMITS, NOW + timedelta(hours=hours))


def test_what_is_good_and_was_seen_for_long_enough_goes_on() -> None:
    decision = decided()
    assert (decision.action, decision.share, decision.reasons) == ("advance", 25, ("150 days of devices, nothing against it",))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hours": 2}, "the step began 2.0 h ago, and lasts 24 h"),
        (
            {"device_days": 3},
            "3 days of devices were judged, 100 are needed: 97 are missing; beside the control in its shadow 72 would do",
        ),
        ({"device_days": 30, "compared_on": "same windows"}, "30 days of devices were judged, 72 are needed: 42 are missing"),
        ({"device_days": 30, "control": 0}, "30 days of devices were judged, 100 are needed: 70 are missing"),
        (
            {"label_distance": 0.18},
            "its labels lie 0.18 from the control's, 0.13 is allowed; it may be chance until 677 days of devices were judged",
        ),
        (
            {"events_a_device_day": 1.1, "control_events_a_device_day": 0.5},
            "1.10 events a device-day, the control 0.50, 0.95 is allowed; it may be chance until 681 days of devices were judged",
        ),
        ({"control_device_days": 0}, "the control judged nothing that could be compared"),
        ({"control": 0, "control_device_days": 0}, "the control judged nothing that could be compared"),
    ],
)
def test_what_was_not_seen_for_long_enough_waits(fields: Mapping[str, Any], reason: str) -> None:
    assert (decided(**fields).action, decided(**fields).share, decided(**fields).reasons) == ("wait", 5, (reason,))


def test_what_was_looked_at_late_and_is_good_waits_for_nobody() -> None:
    assert decided(hours=24 * 49).action == "advance"


def test_what_nobody_has_run_waits() -> None:
    assert judge(ROLLOUT, None, LIMITS, NOW + timedelta(days=9)).reasons == (
        "0 days of devices were judged, 100 are needed: 100 are missing",
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"gateways_refused": 1, "refusals": "NaN"}, "1 of 9 gateways fell back from it: NaN"),
        ({"failures_per_inference": 0.05, "control_failures_per_inference": 0.01}, "5.0% of its inferences failed, 1.0% of the control's"),
        ({"scoring_ms": 20.0, "control_scoring_ms": 4.0}, "it takes 20.0 ms for a window, the control 4.0"),
        ({"events_a_device_day": 2.0, "control_events_a_device_day": 0.5}, "2.00 events a device-day, the control 0.50"),
        (
            {"not_normal_share": 0.0, "control_not_normal_share": 0.1},
            "it may be blind: 0.0% of its windows are not normal, 10.0% of the control's, 0.10 less",
        ),
        ({"label_distance": 0.5}, "its labels lie 0.50 from the control's, 0.24 is allowed after 150 days of devices"),
        ({"score_distance": 0.5}, "its scores lie 0.50 from the control's, 0.26 is allowed after 150 days of devices"),
        (
            {"answers": 10, "false_alarms": 5, "control_answers": 20, "control_false_alarms": 2},
            "people called 50% of its notices false alarms",
        ),
        (
            {"inferences": 400, "outcomes": 400, "right_share": 0.5, "control_outcomes": 20, "control_right_share": 0.9},
            "50% of its verdicts were right, 90% of",
        ),
    ],
)
def test_what_is_bad_halts_it_at_once_with_the_reason(fields: Mapping[str, Any], reason: str) -> None:
    decision = decided(hours=0.5, **fields)
    assert (decision.action, decision.share) == ("halt", 0)
    assert decision.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    "fields",
    [
        {"device_days": 3, "label_distance": 0.9, "not_normal_share": 0.0, "control_not_normal_share": 0.1},
        {"answers": 3, "false_alarms": 3},
        {"device_days": 20, "label_distance": 0.4, "score_distance": 0.43},
        {"device_days": 90, "not_normal_share": 0.0, "control_not_normal_share": 0.1},
        {"inferences": 400, "outcomes": 20, "right_share": 0.6, "control_outcomes": 20, "control_right_share": 0.9},
        {"outcomes": 3, "right_share": 0.0, "control_outcomes": 20, "control_right_share": 0.9},
        {"events_a_device_day": 5.0},
        {"device_days": 1, "events_a_device_day": 2.0, "control_events_a_device_day": 0.1},
    ],
)
def test_what_says_too_little_is_not_held_against_it(fields: Mapping[str, Any]) -> None:
    assert decided(hours=0.5, **fields).action == "wait"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"label_distance": 0.5}, "its labels lie 0.50 from the control's, 0.24 is allowed after 150 days of devices, on other sites"),
        (
            {"events_a_device_day": 2.0, "control_events_a_device_day": 0.5},
            "2.00 events a device-day, the control 0.50, 1.27 is allowed after 150 days of devices, on other sites",
        ),
    ],
)
def test_what_differs_on_other_sites_waits_for_a_person_and_what_crashes_is_halted(fields: Mapping[str, Any], reason: str) -> None:
    there = {**fields, "compared_on": "same days"}
    assert decided(**there).action == "wait"
    assert decided(**there).reasons == (f"{reason}, of which nothing is known from before",)
    assert decided(**{**there, "compared_on": "same days, and those before"}).action == "halt"
    assert decided(**there, gateways_refused=1).action == "halt"


def test_rows_are_read_as_they_are_printed_whatever_else_they_hold() -> None:
    rows = read(b'[{"model": "soil", "release": "2", "label_distance": "0.25", "first_time": "2026-05-01"}]', "stdin")
    assert of(rows, Release("soil", 2)) == Health(model="soil", release=2, label_distance=0.25)
    assert of(rows, Release("soil", 3)) is None
    for content in (b"", b"{}", b'[{"model": "soil"}]'):
        with pytest.raises(ReleaseError, match="stdin holds no rows of release_health"):
            read(content, "stdin")
