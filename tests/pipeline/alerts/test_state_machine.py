"""One rule and subject: what opens, updates and resolves an alert, in any repetition, at any pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from pipeline.alerts.observation import Observation
from pipeline.alerts.sources import state_machine
from pipeline.alerts.state import AlertState
from pipeline.alerts.state_machine import ROWS_PER_COOLDOWN
from schemas.envelope import from_micros, micros
from schemas.records import Alert
from schemas.rules import Rule
from schemas.rules.event import EventRule
from schemas.rules.site_window import SiteWindowRule
from tests.pipeline.bodies import NOW

EVENT = EventRule(name="dries-out", event="soil", opens=("now", "soon"), cooldown_seconds=1800)
BELOW = SiteWindowRule(name="dry", channel="moisture", window_seconds=3600, below=0.15, hysteresis=0.02)
ABOVE = SiteWindowRule(name="wet", channel="moisture", window_seconds=3600, above=0.4, hysteresis=0.02)
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def observed(minutes: float, state: str | None = None, value: float | None = None, rule: Rule = EVENT, revision: int = 0) -> Observation:
    at = micros(NOW + minutes * MINUTE)
    return Observation(
        rule=rule.name,
        subject="d1",
        at=at,
        known_at=at,
        revision=revision,
        state=state,
        value=value,
        site_id="north",
        device_id="d1",
        text="north, d1: so",
    )


def follow(rule: Rule, observations: list[Observation], late_by: timedelta = timedelta(0), *, timers: bool = True) -> list[Alert]:
    """As the engine does it live: each observation when it happens, or later; timers between them and at the end."""
    machine = state_machine(rule)
    state: AlertState | None = None
    rows: list[Alert] = []
    for one in observations:
        if timers and state and (due := machine.wakes_at(state)) is not None and due <= one.at + micros(EPOCH + late_by):
            state, more = machine.wake(state, from_micros(due))
            rows += more
        state, more = machine.step(state, one, from_micros(one.at) + late_by)
        rows += more
    while state and (due := machine.wakes_at(state)) is not None:
        state, more = machine.wake(state, from_micros(due))
        rows += more
    return rows


def in_batch_mode(rule: Rule, observations: list[Observation]) -> list[Alert]:
    return state_machine(rule).run(observations, NOW + timedelta(days=30))


def changes(rows: list[Alert]) -> list[tuple[str, int, bool]]:
    return [(row.state, row.revision, row.historical) for row in rows]


def test_a_state_that_opens_opens_and_any_other_resolves() -> None:
    rows = follow(EVENT, [observed(0, "fine"), observed(1, "soon", 3.5), observed(90, "fine", 9.0)])
    assert changes(rows) == [("opened", 0, False), ("resolved", 1, False)]
    assert [row.alert_id for row in rows] == [f"dries-out:d1:{micros(NOW + MINUTE)}"] * 2
    assert [(row.event_time, row.opened_time, row.value) for row in rows] == [
        (NOW + MINUTE, NOW + MINUTE, 3.5),
        (NOW + 90 * MINUTE, NOW + MINUTE, 9.0),
    ]


def test_a_label_of_a_model_named_silent_is_no_silence() -> None:
    assert follow(EVENT, [observed(0, "fine"), observed(1, "silent", 3.5)]) == []


def test_another_state_that_opens_is_an_update_once_the_cooldown_is_over() -> None:
    rows = follow(EVENT, [observed(0, "soon", 3.0), observed(1, "now", 1.0)])
    assert changes(rows) == [("opened", 0, False), ("updated", 1, False)]
    assert rows[1].as_of == NOW + 30 * MINUTE
    assert changes(follow(EVENT, [observed(0, "soon", 3.0), observed(60, "soon", 2.9)])) == [("opened", 0, False)]


def test_a_limit_has_a_hysteresis_on_both_sides() -> None:
    for rule, values in ((BELOW, (0.2, 0.14, 0.16, 0.18)), (ABOVE, (0.3, 0.41, 0.39, 0.37))):
        rows = follow(rule, [observed(60 * at, value=value, rule=rule) for at, value in enumerate(values)])
        assert [(row.state, row.value) for row in rows] == [("opened", values[1]), ("resolved", values[3])]


def test_an_update_is_worse_by_more_than_the_hysteresis() -> None:
    rows = follow(BELOW, [observed(60 * at, value=value, rule=BELOW) for at, value in enumerate((0.14, 0.13, 0.11, 0.12))])
    assert [(row.state, row.value) for row in rows] == [("opened", 0.14), ("updated", 0.11)]


def test_what_is_late_or_comes_again_changes_nothing() -> None:
    order = [observed(10, "now"), observed(5, "fine"), observed(10, "fine"), observed(20, "fine"), observed(15, "now")]
    assert changes(follow(EVENT, order, timers=False)) == [("opened", 0, False), ("resolved", 1, False)]


def test_a_later_revision_of_the_same_window_counts() -> None:
    rows = follow(BELOW, [observed(0, value=0.1, rule=BELOW), observed(0, value=0.2, rule=BELOW, revision=1)])
    assert changes(rows) == [("opened", 0, False), ("resolved", 1, False)]


def test_a_storm_of_ten_thousand_in_a_minute_opens_one_alert_and_has_three_rows() -> None:
    rows = follow(EVENT, [observed(number / 10_000, ("now", "fine")[number % 2]) for number in range(9_999)])
    assert len({row.alert_id for row in rows}) == 1
    assert [row.state for row in rows] == ["opened", "resolved", "updated"]
    assert rows[-1].as_of == NOW + 30 * MINUTE


def test_an_alert_that_comes_back_within_the_cooldown_is_the_same_alert() -> None:
    rows = follow(EVENT, [observed(0, "now"), observed(100, "fine"), observed(110, "now"), observed(300, "fine"), observed(400, "now")])
    assert changes(rows)[:4] == [("opened", 0, False), ("resolved", 1, False), ("updated", 2, False), ("resolved", 3, False)]
    assert [row.alert_id == rows[0].alert_id for row in rows] == [True] * 4 + [False]
    assert (rows[4].state, rows[4].revision) == ("opened", 0)


def test_backlog_notifies_nobody_and_neither_does_batch_mode() -> None:
    course = [observed(0, "now"), observed(40, "fine")]
    assert changes(follow(EVENT, course, timedelta(minutes=16))) == [("opened", 0, True), ("resolved", 1, True)]
    assert changes(in_batch_mode(EVENT, course[::-1])) == [("opened", 0, True), ("resolved", 1, True)]


def test_what_is_late_by_less_is_notified_when_nothing_contradicts_it_for_a_while() -> None:
    rows = follow(EVENT, [observed(0, "now"), observed(40, "fine")], timedelta(minutes=10))
    assert changes(rows) == [("opened", 0, False), ("resolved", 1, False)]
    assert rows[0].as_of == NOW + timedelta(minutes=12)
    came_and_went = follow(EVENT, [observed(0, "now"), observed(0.5, "fine")], timedelta(minutes=10))
    assert changes(came_and_went) == [("opened", 0, True), ("resolved", 1, True)]


def test_the_end_of_an_alert_that_somebody_knows_of_is_notified_however_late_it_is_known() -> None:
    late = NOW + timedelta(hours=5)
    machine = state_machine(EVENT)
    state, _ = machine.step(None, observed(0, "now"), NOW)
    state, _ = machine.step(state, observed(40, "fine"), late)
    assert machine.wakes_at(state) == micros(late + timedelta(minutes=15)), "a gateway may give its word until then"
    _, rows = machine.wake(state, late + timedelta(minutes=15))
    assert changes(rows) == [("resolved", 1, False)]


def test_a_result_of_long_ago_waits_for_a_word_and_a_younger_one_behind_it_for_two_minutes() -> None:
    machine, now = state_machine(BELOW), NOW + timedelta(hours=6)
    state, _ = machine.step(None, observed(0, value=0.1, rule=BELOW), now)
    assert machine.wakes_at(state) == micros(now + timedelta(minutes=15))
    of_before, rows = machine.word(state, micros(now), now + timedelta(minutes=3))
    assert (changes(rows), machine.wakes_at(of_before)) == ([("opened", 0, False)], None)
    state, _ = machine.step(state, observed(350, value=0.1, rule=BELOW), now)
    assert machine.wakes_at(state) == micros(now + timedelta(minutes=2))


def test_an_alert_from_backlog_is_notified_when_something_fresh_confirms_it() -> None:
    later = NOW + timedelta(hours=2)
    state, rows = state_machine(BELOW).step(None, observed(0, value=0.1, rule=BELOW), later)
    assert rows == []
    fresh = replace(observed(1, value=0.1, rule=BELOW), known_at=micros(later))
    _, rows = state_machine(BELOW).step(state, fresh, later)
    assert changes(rows) == [("opened", 0, True), ("updated", 1, False)]


def test_what_gets_better_is_a_row_that_notifies_nobody_once_in_a_cooldown() -> None:
    values = [0.10, 0.13, 0.135, 0.14, 0.12, 0.09]
    rows = follow(BELOW, [observed(10 * at, value=value, rule=BELOW) for at, value in enumerate(values)])
    assert [(row.state, row.value, row.notified) for row in rows] == [
        ("opened", 0.10, True),
        ("updated", 0.135, False),
        ("updated", 0.09, True),
    ]


def test_a_condition_that_must_last_opens_when_it_has_lasted_and_not_before() -> None:
    lasting = structs.replace(EVENT, for_seconds=600)
    assert follow(lasting, [observed(0, "now"), observed(9, "fine"), observed(12, "now"), observed(21, "fine")]) == []
    rows = follow(lasting, [observed(0, "now"), observed(5, "soon"), observed(30, "fine")])
    assert [(row.state, row.event_time, row.as_of) for row in rows] == [
        ("opened", NOW + 10 * MINUTE, NOW + 10 * MINUTE),
        ("resolved", NOW + 30 * MINUTE, NOW + 30 * MINUTE),
    ]
    dry = structs.replace(BELOW, for_seconds=600)
    values = follow(dry, [observed(at, value=0.1, rule=dry) for at in (0, 4, 8)])
    assert values == [], "a measured value does not last by itself"
    [row] = follow(dry, [observed(at, value=0.1, rule=dry) for at in (0, 4, 8, 12)])
    assert (row.state, row.event_time) == ("opened", NOW + 12 * MINUTE)


def test_what_was_pending_is_not_old_because_it_was_pending() -> None:
    rows = follow(EVENT, [observed(0, "now"), observed(1, "fine"), observed(2, "now")])
    assert changes(rows) == [("opened", 0, False), ("resolved", 1, False), ("updated", 2, False)]
    assert rows[2].as_of - rows[2].event_time > timedelta(seconds=EVENT.historical_seconds)


STATES = st.sampled_from(["fine", "soon", "now"])
COURSE = st.lists(st.tuples(st.floats(0.001, 40), STATES), min_size=1, max_size=60)
VALUES = st.lists(st.tuples(st.floats(0.001, 40), st.floats(0.0, 0.5)), min_size=1, max_size=60)


def course(steps: list[tuple[float, Any]], rule: Rule = EVENT) -> list[Observation]:
    """Rising times from the steps between them."""
    observations, minutes = [], 0.0
    for wait, what in steps:
        minutes += wait
        observations.append(observed(minutes, what, None, rule) if isinstance(what, str) else observed(minutes, None, what, rule))
    return observations


def check(rule: Rule, observations: list[Observation], rows: list[Alert]) -> None:
    assert len({(row.alert_id, row.revision) for row in rows}) == len(rows)
    is_open: str | None = None
    latest: dict[str, int] = {}
    for row in rows:
        assert row.alert_id == f"{rule.name}:d1:{micros(row.opened_time)}"
        assert row.revision == latest.get(row.alert_id, -1) + 1
        assert is_open in (None, row.alert_id), "two alerts of one rule and subject are open at once"
        assert (row.state == "opened") == (row.revision == 0)
        latest[row.alert_id] = row.revision
        is_open = None if row.state == "resolved" else row.alert_id
    if rule is EVENT:
        assert (is_open is not None) == (observations[-1].state in rule.opens)


@settings(max_examples=300, deadline=None)
@given(COURSE)
def test_at_most_one_is_open_and_every_alert_is_resolved_or_open_at_the_end(steps: list[tuple[float, str]]) -> None:
    observations = course(steps)
    check(EVENT, observations, follow(EVENT, observations))
    check(EVENT, observations, in_batch_mode(EVENT, observations))


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from([BELOW, ABOVE]))
def test_the_same_holds_for_limits(steps: list[tuple[float, float]], rule: Rule) -> None:
    observations = course(steps, rule)
    check(rule, observations, follow(rule, observations))


@settings(max_examples=200, deadline=None)
@given(COURSE, st.data())
def test_repetition_changes_nothing(steps: list[tuple[float, str]], data: st.DataObject) -> None:
    observations = course(steps)
    repeated = []
    for at, one in enumerate(observations):
        repeated.append(one)
        repeated += data.draw(st.lists(st.sampled_from(observations[: at + 1]), max_size=3))
    assert follow(EVENT, repeated, timers=False) == follow(EVENT, observations, timers=False)


@settings(max_examples=200, deadline=None)
@given(COURSE, st.randoms(use_true_random=False))
def test_in_batch_mode_the_order_does_not_matter(steps: list[tuple[float, str]], chance: Any) -> None:
    observations = course(steps)
    shuffled = observations * 2
    chance.shuffle(shuffled)
    assert in_batch_mode(EVENT, shuffled) == in_batch_mode(EVENT, observations)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 9), STATES), min_size=20, max_size=120), st.booleans())
def test_no_more_than_six_an_hour_are_notified_however_it_flaps(steps: list[tuple[float, str]], timers: bool) -> None:
    rows = [row for row in follow(EVENT, course(steps), timers=timers) if not row.historical]
    for first, later in pairwise(rows):
        assert first.as_of <= later.as_of
    for row in rows:
        hour = [one for one in rows if row.as_of <= one.as_of < row.as_of + timedelta(hours=1)]
        assert len(hour) <= 6
        cooldown = [one for one in rows if row.as_of <= one.as_of < row.as_of + timedelta(seconds=EVENT.cooldown_seconds)]
        assert len(cooldown) <= 2 * ROWS_PER_COOLDOWN - 1
