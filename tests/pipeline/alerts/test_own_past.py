"""An hour of a device against its own past: a robust z-score and a rate of change, whatever the order of the hours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerts.observation import Observation
from pipeline.alerts.own_past import OWN_PAST, z_score
from pipeline.alerts.source import AlertSourceWithMemory
from pipeline.alerts.sources.deviation import DeviationSource
from pipeline.alerts.sources.rate import RateSource
from pipeline.rollup.stats import HOUR, DeviceHour, HourOfDevices, Key
from schemas.envelope import micros
from schemas.rules.deviation import DeviationRule
from schemas.rules.rate import RateRule
from tests.pipeline.bodies import NOW, REGISTRY

START = int(NOW.timestamp())
SECOND = 1_000_000
ODD = DeviationRule(name="odd", channel="moisture", past_hours=24)
FALLING = RateRule(name="falling", channel="moisture", below=-0.1, over_hours=2)
NOISE = [0.30, 0.31, 0.29, 0.32, 0.28, 0.30, 0.33, 0.27, 0.31, 0.29, 0.30, 0.32, 0.28, 0.31]


def hour(number: int, mean: float, revision: int = 0, device: str = "d1", unit: str = "m3/m3") -> HourOfDevices:
    of_device = DeviceHour(device_id=device, count=4, mean=mean, min=mean, max=mean)
    return HourOfDevices(Key("south", "moisture", unit, START + number * HOUR), revision, (of_device,))


def observed(source: AlertSourceWithMemory, hours: list[HourOfDevices], now: int = micros(NOW) * 2) -> list[Observation]:
    packed: dict[str, bytes | None] = {}
    found: list[Any] = []
    for one in hours:
        for key, mean in source.reports(one):
            outcome = source.memory("past").on_report(packed.get(key), key, mean, now)
            packed[key] = outcome.state
            found += outcome.found
    return found


def latest(found: list[Observation]) -> dict[int, float | None]:
    """The value of each hour by its last revision."""
    return {one.at: one.value for one in sorted(found, key=lambda one: one.order)}


def test_the_distance_from_the_median_is_in_usual_spreads() -> None:
    values = np.array(NOISE)
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    assert z_score(NOISE, 0.05, 0.0) == pytest.approx((0.05 - np.median(values)) / spread)
    assert z_score(NOISE, 0.05, 0.5) == pytest.approx((0.05 - np.median(values)) / 0.5)
    assert z_score([0.3] * 20, 0.9, 0.0) is None, "what never moves has no usual spread"


def test_an_hour_far_from_its_own_past_is_observed_with_a_sentence() -> None:
    found = observed(DeviationSource([ODD], REGISTRY), [*(hour(number, mean) for number, mean in enumerate(NOISE)), hour(14, 0.05)])
    last = found[-1]
    assert (last.rule, last.subject, last.site_id, last.at) == ("odd", "d1", "south", (START + 14 * HOUR) * SECOND)
    assert last.value == pytest.approx(abs(z_score(NOISE, 0.05, 0.0) or 0.0))
    assert last.text == "south, d1: moisture of an hour is 0.05 m3/m3, 16.9 times its usual spread below what is usual"
    assert DeviationSource.condition(ODD).holds(last, before=False)
    assert not any(DeviationSource.condition(ODD).holds(one, before=False) for one in found[:-1])


def test_less_than_half_of_the_past_is_no_past() -> None:
    hours = [hour(number, mean) for number, mean in enumerate(NOISE)]
    assert [one.at for one in observed(DeviationSource([ODD], REGISTRY), hours)] == [(START + at * HOUR) * SECOND for at in (12, 13)]


def test_other_channels_and_devices_are_remembered_apart_or_not_at_all() -> None:
    source = RateSource([FALLING], REGISTRY)
    assert observed(source, [hour(0, 0.5), hour(2, 0.1, device="d2"), hour(2, 0.1, unit="%")]) == []
    other = hour(2, 0.1)._replace(key=Key("south", "temperature", "degC", START))
    assert list(source.reports(other)) == []


def test_a_rate_is_a_change_an_hour_from_the_hour_that_it_is_compared_with() -> None:
    [one] = observed(RateSource([FALLING], REGISTRY), [hour(0, 0.5), hour(2, 0.1)])
    assert one.value == pytest.approx(-0.2)
    assert one.text == "south, d1: moisture changes by -0.2 m3/m3 an hour, from 0.5 to 0.1 in 2 h"
    assert RateSource.condition(FALLING).holds(one, before=False)


def test_a_later_revision_counts_and_what_comes_again_does_not() -> None:
    found = observed(RateSource([FALLING], REGISTRY), [hour(0, 0.5), hour(2, 0.1), hour(2, 0.1), hour(2, 0.4, revision=1), hour(2, 0.1)])
    assert [one.value for one in found] == pytest.approx([-0.2, -0.05])
    assert found[0].order < found[1].order


def test_an_hour_that_has_not_begun_is_not_remembered() -> None:
    assert observed(RateSource([FALLING], REGISTRY), [hour(0, 0.5), hour(2, 0.1)], now=(START + HOUR) * SECOND) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.floats(-5, 5)), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_the_newest_hour_is_judged_by_all_that_is_known_in_any_order(measured: list[tuple[int, float]], chance: Any) -> None:
    hours = [hour(number, mean) for number, mean in dict(measured).items()]
    shuffled = hours * 2
    chance.shuffle(shuffled)
    for source in (DeviationSource([ODD], REGISTRY), RateSource([FALLING], REGISTRY)):
        newest = (START + max(dict(measured)) * HOUR) * SECOND
        assert latest(observed(source, shuffled)).get(newest) == pytest.approx(latest(observed(source, sorted(hours))).get(newest))


def test_the_past_is_bounded() -> None:
    source = RateSource([FALLING], REGISTRY)
    packed = None
    for number in range(500):
        for key, mean in source.reports(hour(number, 0.3)):
            packed = source.memory("past").on_report(packed, key, mean, micros(NOW) * 2).state
    assert packed
    assert len(OWN_PAST.unpack(packed).hours) == 27  # type: ignore[union-attr]
