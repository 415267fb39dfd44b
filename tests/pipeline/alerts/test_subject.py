"""One rule and subject through changes of the registry and starts of the pipeline: no alert is open for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from msgspec import structs

from pipeline.alerts import subject
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import Observation, OpenAlert
from pipeline.alerts.state import AlertState
from schemas.envelope import micros
from schemas.records import Alert
from schemas.rules import Rule
from schemas.rules.event import EventRule
from schemas.rules.site_window import SiteWindowRule
from tests.pipeline.bodies import NOW, REGISTRY

FROST = EventRule(name="frost", event="frost", opens=("low",), message="Protect the crop")
HOT = SiteWindowRule(name="hot", channel="temperature", window_seconds=3600, above=35.0, hysteresis=2.0)
MINUTE = timedelta(minutes=1)


def watch(*rules: Rule) -> RulesInForce:
    return RulesInForce(replace(REGISTRY, rules=rules))


def frost(at: float, state: str) -> Observation:
    moment = micros(NOW + at * MINUTE)
    return Observation(
        rule="frost",
        subject="d1",
        at=moment,
        known_at=moment,
        state=state,
        site_id="south",
        device_id="d1",
        gateway_id="gw1",
        text=f"d1: {state}",
    )


def heat(at: float, value: float) -> Observation:
    moment = micros(NOW + at * MINUTE)
    return Observation(rule="hot", subject="south", at=moment, known_at=moment, value=value, site_id="south", text=f"south: {value}")


def follow(rules: RulesInForce, state: AlertState | None, *observations: Observation) -> tuple[AlertState | None, list[Alert]]:
    rows: list[Alert] = []
    for one in observations:
        state, added = subject.take(rules, one.key, state, one, NOW + timedelta(microseconds=one.at - micros(NOW)))
        rows += added
    return state, rows


def opened() -> tuple[AlertState | None, Alert]:
    state, [row] = follow(watch(FROST), None, frost(0, "low"))
    return state, row


def test_an_open_alert_whose_rule_was_taken_out_is_closed_and_people_hear_why() -> None:
    state, row = opened()
    later = NOW + 30 * MINUTE
    assert subject.look(watch(FROST), "frost:d1", state, later)[1] == []
    state, [closed] = subject.look(watch(HOT), "frost:d1", state, later)
    assert (closed.state, closed.alert_id, closed.notified, closed.event_time) == ("resolved", row.alert_id, True, later)
    assert closed.message == "Protect the crop: d1: low: closed, for its rule is no longer in the registry"
    assert subject.look(watch(HOT), "frost:d1", state, later + MINUTE)[1] == []


def test_an_open_alert_is_closed_when_the_device_is_gone_or_the_rule_means_another_or_opens_for_something_else() -> None:
    state, _ = opened()
    gone = RulesInForce(replace(REGISTRY, rules=(FROST,), devices=tuple(device for device in REGISTRY.devices if device.device_id != "d1")))
    ended = RulesInForce(replace(REGISTRY, rules=(FROST,), devices=tuple(replace(device, valid_to=NOW) for device in REGISTRY.devices)))
    others = watch(structs.replace(FROST, sites=("north",)))
    high = watch(structs.replace(FROST, opens=("high",)))
    for rules, why in ((gone, "stands anywhere"), (ended, "stands anywhere"), (others, "no longer watches"), (high, "no longer opens")):
        _, [closed] = subject.look(rules, "frost:d1", state, NOW + MINUTE)
        assert (closed.state, why in closed.message) == ("resolved", True), closed.message


def test_an_open_alert_of_a_site_that_was_taken_out_is_closed() -> None:
    state, _ = follow(watch(HOT), None, heat(0, 36.0))
    _, [closed] = subject.look(RulesInForce(replace(REGISTRY, rules=(HOT,), sites=())), "hot:south", state, NOW + MINUTE)
    assert closed.message == "south: 36.0: closed, for its site is no longer in the registry"


def test_a_rule_that_comes_back_opens_alerts_again() -> None:
    state, row = opened()
    state, _ = subject.look(watch(), "frost:d1", state, NOW + MINUTE)
    _, rows = follow(watch(FROST), state, frost(100, "normal"), frost(200, "low"))
    assert [(each.state, each.alert_id == row.alert_id) for each in rows] == [("opened", False)]


def test_an_alert_goes_on_after_a_start_without_state_and_is_resolved_by_what_comes_next() -> None:
    _, row = opened()
    state, rows = subject.take(watch(FROST), "frost:d1", None, OpenAlert(row), NOW + 10 * MINUTE)
    assert rows == []
    _, rows = follow(watch(FROST), state, frost(0, "low"), frost(60, "normal"))
    assert [(each.state, each.alert_id, each.revision, each.notified) for each in rows] == [("resolved", row.alert_id, 1, True)]


def test_an_alert_of_a_limit_goes_on_and_is_confirmed_quietly() -> None:
    _, [row] = follow(watch(HOT), None, heat(0, 36.0))
    state, _ = subject.take(watch(HOT), "hot:south", None, OpenAlert(row), NOW + 10 * MINUTE)
    _, rows = follow(watch(HOT), state, heat(60, 36.5), heat(120, 32.0))
    assert [(each.state, each.revision, each.opened_time) for each in rows] == [("resolved", 1, NOW)]


def test_what_came_first_after_the_start_ends_an_alert_that_is_known_of_later() -> None:
    _, row = opened()
    state, _ = follow(watch(FROST), None, frost(60, "normal"))
    _, [closed] = subject.take(watch(FROST), "frost:d1", state, OpenAlert(row), NOW + 61 * MINUTE)
    assert (closed.state, closed.alert_id, closed.revision, closed.notified) == ("resolved", row.alert_id, 1, True)
    assert closed.event_time == NOW + 60 * MINUTE


def test_a_newer_alert_takes_the_place_of_one_that_is_known_of_later_and_nobody_is_notified_of_that() -> None:
    _, row = opened()
    state, [newer] = follow(watch(FROST), None, frost(60, "low"))
    state, [closed] = subject.take(watch(FROST), "frost:d1", state, OpenAlert(row), NOW + 61 * MINUTE)
    assert (closed.state, closed.alert_id, closed.notified) == ("resolved", row.alert_id, False)
    _, rows = follow(watch(FROST), state, frost(100, "normal"))
    assert [(each.state, each.alert_id) for each in rows] == [("resolved", newer.alert_id)]


def test_a_pipeline_that_was_updated_knows_its_open_alerts_already() -> None:
    state, row = opened()
    assert subject.take(watch(FROST), "frost:d1", state, OpenAlert(row), NOW + MINUTE) == (state, [])


def test_an_alert_whose_rule_is_gone_at_the_start_is_closed() -> None:
    _, row = opened()
    _, [closed] = subject.take(watch(HOT), "frost:d1", None, OpenAlert(row), NOW + MINUTE)
    assert (closed.state, closed.notified) == ("resolved", True)
