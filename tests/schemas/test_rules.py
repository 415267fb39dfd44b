"""Rules come whole or not at all: what is wrong is named with its file, rule and setting."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from program.settings import ConfigError
from schemas.records import Severity
from schemas.registry import Registry
from schemas.rules.event import EventRule
from schemas.rules.irrigation import IrrigationRule

SOUND = """
[[rules]]
name = "dries-out"
source = "event"
event = "soil"
opens = ["now", "soon"]
devices = ["soil-*"]
[[rules]]
name = "dry"
source = "site_window"
channel = "moisture"
window_seconds = 3600
below = 0.15
hysteresis = 0.02
sites = ["mill-*", "creek-field"]
[[rules]]
name = "irrigate"
source = "irrigation"
column = "need_mm"
above = 20
severity = "info"
[[rules]]
name = "silent"
source = "silence"
silent_seconds = 600
[[rules]]
name = "gateway-silent"
source = "silence"
subject = "gateway"
silent_seconds = 300
gateways = ["gw-*"]
"""


def load(tmp_path: Path, text: str) -> Registry:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    return Registry.load(path)


def test_rules_are_read_with_their_defaults(tmp_path: Path) -> None:
    rules = load(tmp_path, SOUND).rules
    assert [(rule.name, rule.source) for rule in rules] == [
        ("dries-out", "event"),
        ("dry", "site_window"),
        ("irrigate", "irrigation"),
        ("silent", "silence"),
        ("gateway-silent", "silence"),
    ]
    assert rules[2] == IrrigationRule(
        name="irrigate", severity=Severity.INFO, column="need_mm", above=20.0, cooldown_seconds=1800, historical_seconds=900
    )


def test_a_rule_watches_what_its_patterns_name(tmp_path: Path) -> None:
    event, window, _, silent, gateway = load(tmp_path, SOUND).rules
    assert [event.watches(device, "any") for device in ("soil-1", "pump-1")] == [True, False]
    assert [window.watches(site) for site in ("mill-2", "creek-field", "creek-fields", "")] == [True, True, False, False]
    assert silent.watches_device("any", None)
    assert [gateway.watches_gateway(name) for name in ("gw-1", "other")] == [True, False]
    assert not silent.watches_gateway("gw-1")
    assert not gateway.watches_device("any", None)


def test_a_registry_without_rules_has_none(tmp_path: Path) -> None:
    assert load(tmp_path, "").rules == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('event = "soil"', 'evnt = "soil"', "rules[1].evnt: unknown setting of source 'event'; did you mean event?"),
        ('event = "soil"', "", "rules[1].event is missing"),
        ('event = "soil"', "event = 5", "rules[1].event must be a text, not 5"),
        ('opens = ["now", "soon"]', "opens = []", "rules[1].opens must not be empty"),
        ('source = "event"', 'source = "events"', "silence, deviation, rate, rejects, certificate, not 'events'"),
        (
            'source = "event"',
            "",
            "rules[1].source is missing: one of event, site_window, irrigation, probe, silence, deviation, rate, rejects, certificate",
        ),
        ('name = "dries-out"', 'name = "dries out"', "rules[1].name must be letters, digits, dot, dash or underscore"),
        ('name = "dries-out"', 'name = "dry"', "rules[2].name: 'dry' is the name of an earlier rule"),
        ('name = "dries-out"', "", "rules[1].name is missing"),
        ('devices = ["soil-*"]', "devices = []", "rules[1].devices must not be empty"),
        ('devices = ["soil-*"]', 'gateways = ["gw"]', "rules[1].gateways: unknown setting of source 'event'"),
        ("window_seconds = 3600", "window_seconds = 300", "rules[2].window_seconds must be one of 60, 3600, not 300"),
        ("below = 0.15", "", "rules[2]: exactly one of below and above is needed"),
        ("below = 0.15", "below = 0.15\nabove = 0.3", "rules[2]: exactly one of below and above is needed"),
        ("below = 0.15", "below = inf", "rules[2].below must be a number"),
        ("hysteresis = 0.02", "hysteresis = -1", "rules[2].hysteresis must be at least 0"),
        ("hysteresis = 0.02", "silent_seconds = 5", "rules[2].silent_seconds: unknown setting of source 'site_window'"),
        (
            'column = "need_mm"',
            'column = "need"',
            "rules[3].column must be one of balance_days, depletion_mm, need_mm, not 'need'",
        ),
        (
            'column = "need_mm"',
            'column = "days_until_stress"',
            "rules[3].column is no longer 'days_until_stress': it is 'balance_days' now",
        ),
        ('severity = "info"', 'severity = "page"', "rules[3].severity must be one of info, warning, critical, not 'page'"),
        ('severity = "info"', "cooldown_seconds = 0", "rules[3].cooldown_seconds must be 1 to 31622400, not 0"),
        ('severity = "info"', 'message = "two\\nlines"', "rules[3].message must be one line"),
        ('subject = "gateway"', 'subject = "site"', "rules[5].subject must be one of device, gateway, not 'site'"),
        ('gateways = ["gw-*"]', 'sites = ["north"]', "rules[5].subject is gateway, which stands on no site"),
        ('subject = "gateway"', "", "rules[5].gateways are watched where subject is gateway"),
        ("silent_seconds = 600", "silent_seconds = 0", "rules[4].silent_seconds must be 1 to 31622400, not 0"),
    ],
)
def test_a_wrong_rule_is_refused_naming_file_rule_and_setting(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in SOUND
    with pytest.raises(ConfigError, match=re.escape(sentence)) as refused:
        load(tmp_path, SOUND.replace(old, new, 1))
    assert str(refused.value).startswith(f"{tmp_path / 'registry.toml'}: ")


def test_rules_that_are_no_list_of_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"write \[\[rules\]\]"):
        load(tmp_path, "[rules]\nname = 'x'\n")


def test_the_rules_of_the_lab_are_sound() -> None:
    path = Path(__file__).parents[2] / "lab" / "world" / "registry.toml"
    rules = Registry.load(path).rules
    assert {rule.source for rule in rules} == {"event", "irrigation", "probe", "silence", "certificate", "rejects"}
    assert len(rules) == len(tomllib.loads(path.read_text())["rules"])


def test_every_example_of_the_page_is_a_sound_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    rules = Registry.parse(tomllib.loads("\n".join(examples))).rules
    of_facts = {"event", "site_window", "irrigation", "probe", "deviation", "rate"}
    assert {rule.source for rule in rules} == of_facts | {"silence", "rejects", "certificate"}
    assert len(examples) == len(rules) == 11
    defaults = EventRule(name="any", event="any", opens=("any",))
    for name in ("severity", "for_seconds", "cooldown_seconds", "historical_seconds"):
        assert re.search(rf"^\| `{name}` \| all \| `?{getattr(defaults, name)}`? \|", page, re.MULTILINE), name


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("ftp://example.com/", "link must be an http or https URL with a host"),
        ("example.com/{site_id}", "link must be an http or https URL with a host"),
        ("https://{site_id}.example.com/", "link must be an http or https URL with a host"),
        ("https://example.com/{site}", "link names {site}; it may name alert_id, rule, subject, site_id, device_id"),
        ("https://example.com/{site_id", "link has a brace without its other one"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, link: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(reason)):
        load(tmp_path, SOUND.replace('event = "soil"', f'event = "soil"\nlink = "{link}"'))


@pytest.mark.parametrize("number", range(5))
def test_every_kind_of_rule_checks_its_link_and_says_what_to_do(tmp_path: Path, number: int) -> None:
    blocks = SOUND.split("[[rules]]\n")
    blocks[number + 1] += 'link = "https://example.com/{nothing}"\n'
    with pytest.raises(ConfigError, match="it may name"):
        load(tmp_path, "[[rules]]\n".join(blocks))
    assert load(tmp_path, SOUND).rules[number].what_to_do
