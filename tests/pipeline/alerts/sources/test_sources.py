"""Every rule that a registry may hold has a source of the same name, which pipelines may send to their workers."""

from __future__ import annotations

import pickle
from dataclasses import replace
from importlib import import_module
from typing import get_args

import pytest

from pipeline.alerts.sources import SOURCES, SOURCES_WITH_MEMORY, state_machines, watched
from schemas.rules import Rule
from schemas.rules.event import EventRule
from schemas.rules.silence import SilenceRule
from tests.pipeline.bodies import REGISTRY

EVERY = [*SOURCES, *SOURCES_WITH_MEMORY]


def test_every_kind_of_rule_has_one_source() -> None:
    assert sorted(source.RULE.__name__ for source in EVERY) == sorted(rule.__name__ for rule in get_args(Rule))


@pytest.mark.parametrize("source", EVERY)
def test_settings_and_observation_of_a_source_are_in_files_of_its_name(source: type) -> None:
    name = source.RULE.__struct_config__.tag
    assert import_module(f"schemas.rules.{name}").__name__ == source.RULE.__module__
    assert import_module(f"pipeline.alerts.sources.{name}").__name__ == source.__module__


def test_a_source_that_no_rule_watches_is_not_made() -> None:
    frost = EventRule(name="frost", event="frost", opens=("low",))
    registry = replace(REGISTRY, rules=(frost,))
    assert [source.RULE for source in EVERY if watched(source, registry)] == [EventRule]


def test_sources_and_state_machines_travel_to_workers() -> None:
    rules = (EventRule(name="frost", event="frost", opens=("low",)), SilenceRule(name="silent", silent_seconds=60))
    registry = replace(REGISTRY, rules=rules)
    made = [source for kind in EVERY if (source := watched(kind, registry))]
    assert [type(pickle.loads(pickle.dumps(source))) for source in made] == [type(source) for source in made]
    assert pickle.loads(pickle.dumps(state_machines(registry))).keys() == {"frost", "silent"}
