"""What rules see of rolled-up windows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs

from pipeline.alerts.observation import Observation
from pipeline.alerts.sources.site_window import SiteWindowSource
from pipeline.rollup.stats import Key, Stats
from schemas.envelope import micros
from schemas.rules.site_window import SiteWindowRule
from tests.pipeline.bodies import NOW, REGISTRY

DRY = SiteWindowRule(name="dry", channel="moisture", window_seconds=3600, below=0.15, sites=("north",))
STATS = Stats(count=4, sum=0.4, m2=0.0, min=0.1, max=0.1, summaries=2)
START = int(NOW.timestamp())


def observed(site: str = "north", channel: str = "moisture", seconds: int = 3600, start: int = START) -> list[Observation]:
    result = Key(site, channel, "m3/m3", START), (seconds, start, STATS), 3, "on_time"
    return list(SiteWindowSource([DRY], REGISTRY).observe(result, micros(NOW)))


def test_a_window_is_observed_with_its_mean_at_its_start_and_is_not_old_before_its_end() -> None:
    [observation] = observed()
    assert (observation.subject, observation.at, observation.revision) == ("north", micros(NOW), 3)
    assert observation.known_at == micros(NOW + timedelta(hours=1))
    assert (observation.value, observation.threshold, observation.device_id) == (pytest.approx(0.1), 0.15, None)
    assert observation.text == "north: mean moisture of an hour is 0.1 m3/m3"


def test_another_site_channel_or_length_is_not_observed() -> None:
    assert observed("south") == observed(channel="temperature") == observed(seconds=60) == []


def test_a_rule_that_names_a_unit_observes_no_other() -> None:
    def of(unit: str, rule: SiteWindowRule) -> int:
        result = Key("north", "moisture", unit, START), (3600, START, STATS), 0, "on_time"
        return len(list(SiteWindowSource([rule], REGISTRY).observe(result, micros(NOW))))

    named = structs.replace(DRY, unit="m3/m3")
    assert (of("m3/m3", named), of("%", named), of("%", DRY)) == (1, 0, 1)


@pytest.mark.parametrize(("ahead", "count"), [(-3600, 1), (299, 1), (301, 0), (86_400, 0)])
def test_a_window_of_a_wrong_clock_that_has_not_begun_is_not_observed(ahead: int, count: int) -> None:
    """It would make the rule wait until that time."""
    assert len(observed(start=START + ahead)) == count
