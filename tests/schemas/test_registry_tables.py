"""A registry is the same after it was in the tables or in a file that we wrote; what is unsound in the tables is named by its row."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.settings import ConfigError
from schemas.envelope import from_micros
from schemas.key_agreement import as_registered
from schemas.records import Device, GatewayKey, Site
from schemas.registry import Registry
from schemas.registry_changes import changes
from schemas.registry_settings import ALWAYS
from schemas.registry_tables import Entries, entries_of, entries_of_rows, registry_of
from schemas.registry_toml import toml
from schemas.rules.event import EventRule
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.silence import SilenceRule
from schemas.rules.site_window import SiteWindowRule
from tests.pipeline.signed import key_of, registered

EXAMPLE = Registry.load(Path(__file__).parents[2] / "lab/world/registry.toml")
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(lambda text: "${" not in text)
_TIMES = st.integers(1, 4_000_000_000_000_000).map(from_micros)


_KEY = {"gateway_id": "gw-1", "public_key": registered("gw-1").public_key, "name": None, "site_id": None, "valid_from": 0}
"""A row of gateways_v1."""


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    site = Site(
        site_id="north",
        name=draw(_TEXT),
        latitude=draw(st.none() | st.floats(-90, 90)),
        area_m2=draw(st.none() | st.floats(0.001, 1e9)),
        crop=draw(st.sampled_from([None, "Maize"])),
        planted=draw(st.none() | _TIMES),
        valid_from=draw(st.just(ALWAYS) | _TIMES),
        time_zone=draw(st.sampled_from([None, "Europe/Berlin"])),
    )
    device = Device("soil-1", draw(_TEXT), "north", draw(st.just(ALWAYS) | _TIMES), None, draw(st.none() | _TEXT))
    rules = (
        EventRule(name="frost", event=draw(_TEXT), opens=tuple(draw(st.lists(_TEXT, min_size=1, max_size=3))), message=draw(_TEXT)),
        SiteWindowRule(name="hot", channel=draw(_TEXT), window_seconds=60, above=draw(st.floats(-1e6, 1e6))),
        IrrigationRule(name="water", column="need_mm", above=draw(st.floats(0, 1e6)), hysteresis=draw(st.floats(0, 10))),
        SilenceRule(name="silent", silent_seconds=draw(st.integers(1, 1000)), subject=draw(st.sampled_from(["device", "gateway"]))),
    )
    gateways = (
        GatewayKey(
            gateway_id="gw-1",
            public_key=as_registered(key_of("gw-1").public_key()),
            name=draw(st.none() | _TEXT),
            site_id=draw(st.sampled_from([None, "north"])),
            valid_from=ALWAYS,
            revoked_time=draw(st.none() | _TIMES),
        ),
        registered("gw-1", "renewed"),
    )
    return Registry((site,), (device,), rules, gateways)


@given(registries())
def test_a_registry_is_the_same_after_tables_and_file(registry: Registry) -> None:
    rows = [(section, json.dumps(entry)) for section, entries in entries_of(registry).items() for entry in entries]
    assert registry_of(entries_of_rows(rows)) == registry
    assert Registry.parse(tomllib.loads(toml(registry))) == registry


def test_the_example_is_the_same_after_tables_and_file() -> None:
    assert registry_of(entries_of(EXAMPLE)) == EXAMPLE == Registry.parse(tomllib.loads(toml(EXAMPLE)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows["devices"][0].update(site_id="x"), "devices_v1, row of 'machine-elevator': site_id: 'x' is not in [[sites]]"),
        (lambda rows: rows["sites"][0].update(latitude=91.0), "sites_v1, row of 'mill-field': latitude must be"),
        (lambda rows: rows["sites"][0].update(time_zone="Mars/X"), "sites_v1, row of 'mill-field': time_zone 'Mars/X' is no IANA name"),
        (lambda rows: rows["sites"][0].update(name="${HOME}"), "sites_v1, row of 'mill-field': name names a variable"),
        (lambda rows: rows["gateways"].append({**_KEY, "site_id": "x"}), "gateways_v1, row of 'gw-1': site_id: 'x' is not in [[sites]]"),
        (lambda rows: rows["gateways"].append({**_KEY, "public_key": "AA=="}), "gateways_v1, row of 'gw-1': public_key must be the base64"),
        (lambda rows: rows["gateways"].extend([_KEY, _KEY]), "gateways_v1, row of 'gw-1': public_key: 'gw-1' has it in a row before"),
        (
            lambda rows: rows["gateways"].append({**_KEY, "valid_from": 5_000_000, "revoked_time": 4_000_000}),
            "gateways_v1, row of 'gw-1' from 1970-01-01 00:00: revoked_time",
        ),
        (lambda rows: rows["sites"].append(rows["sites"][0]), "sites_v1: two rows of 'mill-field' hold"),
        (lambda rows: rows["rules"][0].update(definition="{"), "rules_v1, row of 'field-dries-out': definition is not JSON"),
        (lambda rows: rows["rules"][0].update(definition="[1]"), "rules_v1, row of 'field-dries-out': definition must be a JSON object"),
        (
            lambda rows: rows["rules"][0].update(definition='{"source": "evnt"}'),
            "rules_v1, row of 'field-dries-out': source must be one of",
        ),
        (
            lambda rows: rows["rules"][0].update(definition='{"name": "x"}'),
            "rules_v1, row of 'field-dries-out': definition has another name",
        ),
        (lambda rows: rows["devices"][0].update(valid_from=5, valid_to=5), "devices_v1, row of 'machine-elevator' from 1970-01-01 00:00"),
    ],
)
def test_what_is_unsound_in_the_tables_is_refused_naming_the_row(change: Callable[[Entries], Any], sentence: str) -> None:
    rows = entries_of(replace(EXAMPLE, devices=tuple(sorted(EXAMPLE.devices, key=lambda device: device.device_id))))
    change(rows)
    with pytest.raises(ConfigError) as refused:
        registry_of(rows)
    assert str(refused.value).startswith(sentence)


def test_what_changes_is_counted_and_named() -> None:
    before, after = entries_of(EXAMPLE), entries_of(EXAMPLE)
    assert list(changes(before, after)) == []
    gone = after["devices"].pop()["device_id"]
    after["devices"][0]["name"] = "Oak"
    after["rules"].append({"name": "new", "definition": "{}"})
    assert list(changes(before, after)) == [
        f"devices: 1 changed ({after['devices'][0]['device_id']}), 1 removed ({gone})",
        "rules: 1 added (new)",
    ]
    many = {section: [] for section in before} | {"devices": [{"device_id": f"d{number:02}"} for number in range(12)]}
    assert list(changes({section: [] for section in before}, many)) == [
        f"devices: 12 added ({', '.join(f'd{number:02}' for number in range(10))} and 2 more)"
    ]
