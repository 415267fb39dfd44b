"""The registry of a process: read once, replaced when it changed, kept when it cannot be read or is unsound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from pipeline.registry_cache import RegistryCache
from program.settings import ConfigError
from schemas.records import Device
from schemas.registry import Registry
from tests.pipeline.bodies import ALWAYS, REGISTRY

GROWN = replace(REGISTRY, devices=(*REGISTRY.devices, Device("new", "soil", "north", ALWAYS, None)))


def cache(*looks: Registry | Exception) -> tuple[RegistryCache, list[float]]:
    """A cache whose looks find these, one after the other, and the pauses that it makes."""
    found: Iterator[Registry | Exception] = iter(looks)
    pauses: list[float] = []

    def read() -> Registry:
        look = next(found)
        if isinstance(look, Exception):
            raise look
        return look

    return RegistryCache(read, pauses.append, Random(1)), pauses


def test_the_same_content_is_the_same_object() -> None:
    looked, _ = cache(REGISTRY, replace(REGISTRY), GROWN)
    first = looked.current()
    looked.refresh()
    assert looked.current() is first
    looked.refresh()
    assert looked.current() == GROWN


def test_what_changes_is_said(caplog: pytest.LogCaptureFixture) -> None:
    looked, _ = cache(REGISTRY, GROWN)
    looked.current()
    with caplog.at_level("INFO"):
        looked.refresh()
    assert "the registry has changed: devices: 1 added (new)" in caplog.text


@pytest.mark.parametrize(("failure", "level"), [(ConfigError("sites_v1: two rows"), "ERROR"), (TimeoutError("60 s"), "WARNING")])
def test_a_look_that_fails_is_said_and_the_last_good_registry_stays(
    failure: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    looked, _ = cache(REGISTRY, failure, failure, GROWN)
    first = looked.current()
    for _ in range(2):
        looked.refresh()
        assert looked.current() is first
    assert [record.levelname for record in caplog.records] == [level, level]
    assert str(failure) in caplog.text
    looked.refresh()
    assert looked.current() == GROWN


def test_a_worker_waits_for_the_first_registry_and_a_start_does_not() -> None:
    waits, pauses = cache(TimeoutError(), ConfigError("unsound"), REGISTRY)
    assert (waits.current(), len(pauses)) == (REGISTRY, 2)
    starts, _ = cache(ConfigError("unsound"), REGISTRY)
    with pytest.raises(ConfigError, match="unsound"):
        starts.load()
