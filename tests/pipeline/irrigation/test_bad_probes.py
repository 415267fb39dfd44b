"""What probes that are dead, in another unit or alone do to a field, through the whole flow. Each site of this world is one case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import flow
from pipeline.options import FN_API
from pipeline.rollup.transform import Schedule
from schemas.records import Device, Site, Summary
from schemas.registry import FixedRegistry, Registry
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.probe import ProbeRule
from tests.pipeline.bodies import ALWAYS, NOW, message, summary
from tests.pipeline.memory import MemorySink, still

MIDNIGHT = NOW.replace(hour=0)
Row = dict[str, Any]

SITE = Site(
    site_id="any",
    name="Any",
    latitude=40.0,
    area_m2=10_000.0,
    soil="Loam",
    crop="Maize",
    planted=MIDNIGHT - timedelta(days=75),
    valid_from=ALWAYS,
)
MOISTURES = {
    "sound": (0.10, "m3/m3"),
    "percent": (10.0, "%"),
    "misdeclared": (10.0, "m3/m3"),
    "volts": (1.7, "V"),
    "zero": (0.0, "m3/m3"),
    "overflown": (65535.0, "m3/m3"),
    "cold": (0.10, "m3/m3"),
}
"""Site (and its device) -> what its probe says all day; `cold` has no temperatures."""
RULES = (
    IrrigationRule(name="water-needed", column="balance_days", below=2.0, hysteresis=1.0),
    ProbeRule(name="probe-faulty"),
)
WORLD = Registry(
    sites=tuple(replace(SITE, site_id=name, name=f"{name} field") for name in (*MOISTURES, "pair", "wild", "rainy")),
    devices=tuple(Device(name, "soil", name, ALWAYS, None) for name in (*MOISTURES, "wild", "rainy"))
    + tuple(Device(name, "soil", "pair", ALWAYS, None) for name in ("often", "rarely")),
    rules=RULES,
)


def hourly(device: str, hour: int, channel: str, value: float, unit: str, minute: int = 0, seconds: int = 3600) -> Summary:
    return summary(
        device, MIDNIGHT + timedelta(hours=hour, minutes=minute), value, channel=channel, unit=unit, window_seconds=seconds, seq_ranges=()
    )


def temperatures(device: str, hour: int) -> Summary:
    return hourly(device, hour, "temperature", 12.0 + hour, "degC")


def everything() -> Iterator[Summary]:
    for hour in range(11):
        for name, (value, unit) in MOISTURES.items():
            yield hourly(name, hour, "moisture", value, unit)
            if name != "cold":
                yield temperatures(name, hour)
        yield from (hourly("wild", hour, "moisture", 0.25, "m3/m3"), temperatures("wild", hour))
        yield from (hourly("rainy", hour, "moisture", 0.2, "m3/m3"), temperatures("rainy", hour))
    yield from (hourly("wild", 11, "temperature", value, "degC", minute, 60) for minute, value in enumerate((-127.0, 85.0, 20.0)))
    yield hourly("rainy", 10, "rain", 15.0, "mm")
    yield from (hourly("often", 10, "moisture", 0.2, "m3/m3", minute, 60) for minute in range(60))
    yield hourly("rarely", 10, "moisture", 0.3, "m3/m3")


@pytest.fixture(scope="module")
def sink() -> MemorySink:
    filled = MemorySink("bad-probes")
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        messages = pipeline | beam.Create([message(list(everything()), NOW)])
        flow.build(messages, FixedRegistry(WORLD), filled, Schedule(streaming=False), still)
    return filled


def field(sink: MemorySink, site_id: str) -> Row:
    [row] = [row for row in sink.table("irrigation_v2") if row["site_id"] == site_id]
    return row


def alerts(sink: MemorySink, rule: str) -> set[tuple[str, str]]:
    return {(row["subject"], row["state"]) for row in sink.table("alerts_v1") if row["rule"] == rule}


def test_a_dry_field_needs_the_same_water_in_both_units(sink: MemorySink) -> None:
    for name in ("sound", "percent"):
        row = field(sink, name)
        assert (row["moisture"], row["need_mm"], row["need_m3"]) == pytest.approx((0.10, 160.0, 1600.0))
        assert row["balance_days"] == 0.0


@pytest.mark.parametrize("name", ["misdeclared", "volts", "zero", "overflown"])
def test_nothing_is_advised_from_an_impossible_value_and_the_row_says_why(sink: MemorySink, name: str) -> None:
    row = field(sink, name)
    assert (row["moisture"], row["depletion_mm"], row["need_mm"], row["need_m3"], row["balance_days"]) == (None,) * 5
    assert name in row["no_advice"]


def test_exactly_the_devices_that_cannot_be_believed_raise_alerts(sink: MemorySink) -> None:
    assert alerts(sink, "probe-faulty") == {(name, "opened") for name in ("misdeclared", "volts", "zero", "overflown", "wild")}


def test_dry_fields_are_told_without_temperatures_too_and_no_others(sink: MemorySink) -> None:
    assert field(sink, "cold")["reference_mm"] is None
    assert alerts(sink, "water-needed") == {(name, "opened") for name in ("sound", "percent", "cold")}, "the rain came in time for rainy"


def test_impossible_temperatures_move_no_extremes(sink: MemorySink) -> None:
    row = field(sink, "wild")
    assert (row["temperature_min"], row["temperature_max"]) == (12.0, 22.0)
    assert "wild is left out" in row["assumed"] or "the temperature of wild is that of" in row["assumed"]


def test_two_probes_weigh_alike_whatever_their_rate(sink: MemorySink) -> None:
    assert field(sink, "pair")["moisture"] == pytest.approx(0.25)


def test_rain_is_taken_off(sink: MemorySink) -> None:
    row = field(sink, "rainy")
    assert row["rain_mm"] == 30.0
    assert row["depletion_mm"] == pytest.approx(110.0 - row["rain_unseen_mm"])
    assert 25.0 < row["rain_unseen_mm"] <= 30.0
