"""Rules come whole or not at all: what is wrong is named with its file, rule and setting."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from program.settings import ConfigError
from schemas.registry import Registry
from schemas.rules import Rule

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
    assert rules[2] == Rule("irrigate", "irrigation", "info", column="need_mm", above=20.0, cooldown_seconds=1800, historical_seconds=900)


def test_a_rule_watches_what_its_patterns_name(tmp_path: Path) -> None:
    event, window, _, silent, gateway = load(tmp_path, SOUND).rules
    assert [event.watches_device(one, "any") for one in ("soil-1", "pump-1")] == [True, False]
    assert [window.watches_site(one) for one in ("mill-2", "creek-field", "creek-fields", None)] == [True, True, False, False]
    assert silent.watches_device("any", None)
    assert [gateway.watches_gateway(one) for one in ("gw-1", "other")] == [True, False]


def test_a_registry_without_rules_has_none(tmp_path: Path) -> None:
    assert load(tmp_path, "").rules == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[rules]]", "[rules]", "rules must be a list, not {'name': 'x'}: write [[rules]]"),
        ('event = "soil"', 'evnt = "soil"', "[[rules]] number 1.evnt: unknown setting; did you mean event?"),
        ('event = "soil"', "", "[[rules]] 'dries-out': event is missing: source 'event' needs it"),
        ('event = "soil"', "event = 5", "[[rules]] number 1.event must be a text, not 5"),
        ('opens = ["now", "soon"]', "opens = []", "[[rules]] 'dries-out': opens must name at least one state"),
        ('source = "event"', 'source = "events"', "source must be one of event, site_window, irrigation, silence, not 'events'"),
        ('name = "dries-out"', 'name = "dries out"', "name must be letters"),
        ('name = "dries-out"', 'name = "dry"', "the name 'dry' stands twice"),
        ('name = "dries-out"', "", "[[rules]] number 1.name is missing"),
        ('devices = ["soil-*"]', "devices = []", "devices must hold at least one pattern"),
        ("window_seconds = 3600", "window_seconds = 300", "window_seconds must be 60 or 3600, not 300"),
        ("below = 0.15", "", "exactly one of below and above is needed"),
        ("below = 0.15", "below = 0.15\nabove = 0.3", "exactly one of below and above is needed"),
        ("below = 0.15", "below = inf", "below must be a number"),
        ("hysteresis = 0.02", "hysteresis = -1", "hysteresis must not be negative"),
        ("hysteresis = 0.02", "silent_seconds = 5", "[[rules]] 'dry': silent_seconds is no setting of source 'site_window'"),
        ('column = "need_mm"', 'column = "need"', "column must be one of need_mm, days_until_stress, depletion_mm, not 'need'"),
        ('severity = "info"', 'severity = "page"', "severity must be one of info, warning, critical, not 'page'"),
        ('severity = "info"', "cooldown_seconds = 0", "cooldown_seconds must be at least 1, not 0"),
        ('severity = "info"', 'message = "two\\nlines"', "message must be one line"),
        ('subject = "gateway"', 'subject = "site"', "subject must be device or gateway, not 'site'"),
        ('gateways = ["gw-*"]', 'sites = ["north"]', "a gateway stands on no site"),
        ("silent_seconds = 600", "silent_seconds = 0", "silent_seconds must be at least 1, not 0"),
    ],
)
def test_a_wrong_rule_is_refused_naming_file_rule_and_setting(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new) if old == "[[rules]]" else SOUND.replace(old, new, 1)
    text = "[rules]\nname='x'\n" if old == "[[rules]]" else text
    with pytest.raises(ConfigError, match=re.escape(said)) as refused:
        load(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'registry.toml'}: ")


def test_the_rules_of_the_lab_are_sound() -> None:
    path = Path(__file__).parents[2] / "lab" / "world" / "registry.toml"
    rules = Registry.load(path).rules
    assert {rule.source for rule in rules} == {"event", "irrigation", "silence"}
    assert len(rules) == len(tomllib.loads(path.read_text())["rules"])


def test_every_example_of_the_page_is_a_sound_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    rules = Registry.parse(tomllib.loads("\n".join(examples))).rules
    assert {rule.source for rule in rules} == {"event", "site_window", "irrigation", "silence"}
    assert len(examples) == len(rules) == 5
    defaults = Rule("any", "event")
    for name in ("severity", "cooldown_seconds", "historical_seconds"):
        assert re.search(rf"^\| `{name}` \| all \| `?{getattr(defaults, name)}`? \|", page, re.MULTILINE), name
