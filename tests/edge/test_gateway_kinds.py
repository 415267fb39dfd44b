"""A gateway with states and counters: whatever dies when, points and the inputs of models are the same; one built for earlier pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.config import ConfigError
from edge.gateway import Gateway, MqttMessage
from edge.models import bundles
from edge.models.bundle import Bundle
from edge.models.recipe import Recipe
from edge.models.running import slots_of
from edge.models.scorer import Score
from edge.store.store import Store
from schemas.envelope import micros
from schemas.points import Point, union
from tests.edge.gateways import START, config, message, rows
from tests.edge.test_gateway import SOIL

SECOND = timedelta(seconds=1)
KINDS = {"door": {"kind": "state", "values": ["closed", "open"]}, "energy": {"kind": "counter"}}
CLASS = {"name": "s", "devices": ["d*"], "channels": {"door": "", "energy": "kWh", "level": "m"}, "kinds": KINDS, "model": "soil"}
UNITS = {"energy.increase": "kWh", "door.open": "1"}


class Rises:
    """A scorer that needs no model."""

    runtime = "none"

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        return [Score("fine", rise, 0.0) for rise, _ in features]


def bundle() -> Bundle:
    steps = [{"name": f"{name} now", "op": "ewma", "of": [name], "hours": 1e-6} for name in UNITS]
    source = {"steps": steps, "inputs": [step["name"] for step in steps], "young_hours": 1e-6, "gap_hours": 1}
    return replace(
        Bundle.load(SOIL), recipe=Recipe.parse(source, list(UNITS)), channels=tuple(UNITS), units=UNITS, ranges={}, sha256="0" * 64
    )


class Place:
    """A store and the gateway on it."""

    def __init__(self, folder: Path) -> None:
        models = [{"name": "soil", "bundle": str(SOIL)}]
        self.config = config(folder, sensors=[CLASS], batches={"seconds": 20}, models=models)
        self.open(START)

    def open(self, now: Any) -> None:
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.gateway = Gateway(self.config, self.store, now, slots=slots_of({"soil": bundle()}, Rises()))

    def kill(self, now: Any) -> None:
        self.store.close()
        self.open(now)

    def points(self) -> dict[tuple[Any, ...], list[Point]]:
        """Those of each window, without what was before: a gateway that began anew may know of it what came late."""
        found: dict[tuple[Any, ...], list[Point]] = {}
        for row in rows(self.store, "summaries"):
            start, key = micros(row["window_start"]), (row["device_id"], row["channel"], row["window_start"])
            of_row = (Point(start + at, value) for at, value in zip(row["point_offsets_us"], row["point_values"], strict=True) if at >= 0)
            found[key] = union(found.get(key, []), of_row)
        return found

    def inputs(self) -> list[tuple[Any, ...]]:
        return [
            (row["device_id"], (row["window_start"] - START) / SECOND, tuple(row["features"])) for row in rows(self.store, "inferences")
        ]


def said(at: float, door: str, energy: float, seq: int) -> MqttMessage:
    values = {"door": door, "energy": energy, "level": 1}
    return message("d1", {"seq": seq, "boot": "b", "time": START.timestamp() + at, "values": values})


def test_a_model_is_given_what_a_counter_rose_by_and_the_share_of_a_state(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for seq, (at, door, energy) in enumerate([(1, "closed", 5), (9, "open", 6), (15, "closed", 8), (24, "open", 1)]):
        place.gateway.tick(START + at * SECOND)
        place.gateway.accept([said(at, door, energy, seq)], START + at * SECOND)
        place.kill(START + at * SECOND)
    place.gateway.flush(START + 60 * SECOND)
    assert place.inputs() == [("d1", 10.0, pytest.approx((2.0, 0.5))), ("d1", 20.0, pytest.approx((1.0, 0.6)))]
    place.store.close()


Steps = list[tuple[int, int, str, int, bool]]


@hypothesis_settings(max_examples=10)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(-25, 0), st.sampled_from(["open", "closed"]), st.integers(0, 9), st.booleans()),
        max_size=10,
    )
)
def test_deaths_change_neither_points_nor_inputs(steps: Steps) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        calm, mortal = played(Path(one), steps, dies=False), played(Path(other), steps, dies=True)
        with closing(calm.store), closing(mortal.store):
            assert mortal.points() == calm.points()
            assert mortal.inputs() == calm.inputs()


def played(folder: Path, steps: Steps, *, dies: bool) -> Place:
    place, now = Place(folder), START
    for seq, (passed, offset, door, energy, dead) in enumerate(steps):
        now += passed * SECOND
        place.gateway.tick(now)
        sent = said((now - START).total_seconds() + offset, door, energy, seq)
        place.gateway.accept([sent], now)
        if dies and dead:
            place.kill(now)
            place.gateway.accept([MqttMessage(sent.topic, sent.payload, dup=True)], now)
    place.gateway.flush(now + 3600 * SECOND)
    return place


@pytest.mark.parametrize("units", [{"energy": "kWh"}, {"door.ajar": "1"}, {"energy.increase": "l"}])
def test_a_model_that_wants_what_a_kind_does_not_give_is_refused_by_name(units: dict[str, str], tmp_path: Path) -> None:
    settings = config(tmp_path, sensors=[CLASS], models=[{"name": "soil", "bundle": str(SOIL)}])
    [(channel, unit)] = units.items()
    with pytest.raises(ConfigError, match=f"model 'soil' needs the channel '{channel}' in {unit}"):
        bundles._check(settings, {"soil": replace(bundle(), units=units, ranges={})})


def test_an_earlier_pipeline_gets_no_columns_that_it_does_not_know(tmp_path: Path) -> None:
    settings = config(tmp_path, sensors=[{**CLASS, "model": None}], batches={"seconds": 0, "for_pipeline": "0.2"})
    with closing(Store(settings.store_file, "gw-1", 64 << 20)) as store:
        gateway = Gateway(settings, store, START)
        gateway.accept([said(1, "open", 5, 0)], START)
        gateway.flush(START + 60 * SECOND)
        found = rows(store, "summaries")
    assert [(row["channel"], row["last"]) for row in found] == [("door", 1.0), ("energy", 5.0), ("level", 1.0)]
    assert all("channel_kind" not in row for row in found)


def test_a_batch_of_numbers_alone_has_no_columns_of_kinds(tmp_path: Path) -> None:
    settings = config(tmp_path, batches={"seconds": 0})
    with closing(Store(settings.store_file, "gw-1", 64 << 20)) as store:
        gateway = Gateway(settings, store, START)
        gateway.accept([message("d1", {"values": {"moisture": 0.3}})], START)
        gateway.flush(START + 60 * SECOND)
        (row,) = rows(store, "summaries")
    assert not row.keys() & {"channel_kind", "states", "wraps_at", "point_offsets_us", "point_values"}
