"""The site of a row is where its device stood at the row's event time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich import Sites, enrich
from schemas.records import Device
from schemas.registry import Registry
from tests.pipeline.bodies import NOW, REGISTRY, grouped, one_of, summary

SITES = Sites(REGISTRY)


def test_a_moved_device_has_the_site_of_the_time() -> None:
    moved = NOW - timedelta(days=100)
    rows = [summary(start=moved - timedelta(seconds=1)), summary(start=moved), summary("d2")]
    row_group, rejected = enrich(grouped(rows), SITES)
    assert row_group.rows.column("site_id").to_pylist() == ["north", "south", "north"]
    assert not rejected


def test_rows_of_devices_that_stand_nowhere_are_set_aside() -> None:
    rows = [summary("d1"), summary("stranger"), summary("gone"), summary("d2")]
    row_group, rejected = enrich(grouped(rows), SITES)
    assert row_group.rows.column("row").to_pylist() == [0, 3]
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [("unknown_device", [1, 2])]


def test_heartbeats_and_rejects_belong_to_no_site_and_lose_nothing() -> None:
    for kind in ("heartbeats", "rejects"):
        row_group, rejected = enrich(grouped([one_of(kind)]), SITES)
        assert row_group.rows.column("site_id").to_pylist() == [None]
        assert not rejected


def test_an_empty_registry_knows_nobody() -> None:
    row_group, rejected = enrich(grouped([summary()]), Sites(Registry((), ())))
    assert (row_group.rows.num_rows, rejected[0].rows.num_rows) == (0, 1)


def _at(hour: int) -> datetime:
    return NOW + timedelta(hours=hour)


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Devices that stand somewhere, leave, come back."""
    devices = []
    for name in draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)):
        times = sorted(draw(st.lists(st.integers(0, 12), unique=True, min_size=2, max_size=6)))
        stays = [(first, last) for first, last in pairwise(times) if draw(st.booleans())]
        devices += [Device(name, "soil", f"{name}-{first}", _at(first), _at(last)) for first, last in stays]
        if draw(st.booleans()):
            devices.append(Device(name, "soil", f"{name}-now", _at(times[-1]), None))
    return Registry((), tuple(draw(st.permutations(devices))))


def _site_of(registry: Registry, device_id: str, time: datetime) -> str | None:
    rows = (row for row in registry.devices if row.device_id == device_id and row.valid_from <= time)
    return next((row.site_id for row in rows if row.valid_to is None or time < row.valid_to), None)


@given(registries(), st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d", "e"]), st.integers(-1, 14)), min_size=1))
def test_the_join_says_what_the_registry_says(registry: Registry, asked: list[tuple[str, int]]) -> None:
    devices = pa.array([name for name, _ in asked])
    times = pa.array([_at(hour) for _, hour in asked], pa.timestamp("us", "UTC"))
    assert Sites(registry).of(devices, times).to_pylist() == [_site_of(registry, name, _at(hour)) for name, hour in asked]
