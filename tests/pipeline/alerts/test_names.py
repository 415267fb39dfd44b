"""Rows carry what a person needs, by the registry in force; their sentences have names and the site's time."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.names import Names
from pipeline.alerts.silence.watch import Finding, Liveness, Watch
from schemas.envelope import micros
from schemas.records import Alert
from schemas.registry import Registry

NOW = datetime(2026, 5, 14, 4, 20, tzinfo=UTC)
RULE = {"name": "frost", "source": "event", "event": "cold", "opens": ["low"], "to_do": "Light the candles"}
LINKED = RULE | {"link": "https://farm.example.com/{site_id}?device={device_id}&alert={alert_id}"}
CONTENT = {
    "sites": [{"site_id": "north", "name": "North Field", "time_zone": "Europe/Berlin"}],
    "devices": [
        {"device_id": "d1", "kind": "soil", "site_id": "north", "name": "Old name", "valid_to": NOW},
        {"device_id": "d1", "kind": "soil", "site_id": "north", "name": "Probe at the oak", "valid_from": NOW},
        {"device_id": "d2", "kind": "soil", "site_id": "north"},
    ],
}


def row(**changes: object) -> Alert:
    values: dict[str, object] = {
        "alert_id": "frost:d1:1",
        "rule": "frost",
        "source": "event",
        "subject": "d1",
        "site_id": "north",
        "device_id": "d1",
        "severity": "warning",
        "state": "opened",
        "opened_time": NOW,
        "event_time": NOW,
        "message": "cold",
        "historical": False,
        "revision": 0,
        "as_of": NOW,
    }
    return Alert(**values | changes)  # type: ignore[arg-type]


def complete(rule: dict[str, object], alert: Alert) -> Alert:
    [completed] = RulesInForce(Registry.parse(CONTENT | {"rules": [rule]})).complete([alert])
    return completed


def test_a_row_has_names_time_zone_what_to_do_and_a_link() -> None:
    completed = complete(LINKED, row())
    assert (completed.site_name, completed.device_name, completed.time_zone) == ("North Field", "Probe at the oak", "Europe/Berlin")
    assert completed.to_do == "Light the candles"
    assert completed.link == "https://farm.example.com/north?device=d1&alert=frost%3Ad1%3A1"


def test_what_is_over_asks_for_nothing_and_a_rule_without_words_has_those_of_its_source() -> None:
    assert complete(RULE, row(state="resolved")).to_do is None
    assert complete({name: value for name, value in RULE.items() if name != "to_do"}, row()).to_do == (
        "Look at the device; the view events has what led to it"
    )


def test_an_alert_of_nothing_that_the_registry_knows_is_left_as_it_is() -> None:
    gone = row(rule="gone", site_id=None, device_id=None)
    assert complete(RULE, gone) == gone


def test_a_device_without_a_name_has_its_identifier() -> None:
    names = Names(Registry.parse(CONTENT))
    assert (names.place("north", "d1"), names.place("north", "d2")) == ("North Field, Probe at the oak", "North Field, d2")


def test_silence_is_told_in_the_sites_time_and_names() -> None:
    rule = {"name": "silent", "source": "silence", "silent_seconds": 600}
    registry = Registry.parse(CONTENT | {"rules": [rule]})
    watch = Watch(registry.rules, registry)  # type: ignore[arg-type]
    at = micros(NOW)
    finding = Finding(Liveness.SILENT, at, at, f"silent since {watch.clock(at, 'north')}")
    assert watch.of_device(registry.rules[0], "d1", "north", finding).text == (  # type: ignore[arg-type]
        "North Field, Probe at the oak: silent since 2026-05-14 06:20:00 Europe/Berlin"
    )
    assert watch.listed([f"x{number:02}" for number in range(12)] + ["d1"]).startswith("13 devices (Probe at the oak, x00, ")
