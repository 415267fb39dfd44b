from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.world import field
from pipeline.irrigation.fields import without_balance
from schemas.registry import Registry


@pytest.fixture(scope="module")
def fields() -> tuple[field.Field, ...]:
    return field.fields(Registry.load(field.REGISTRY))


def test_every_field_has_a_probe_a_gateway_and_at_least_125_days(fields: tuple[field.Field, ...]) -> None:
    assert len({grown.device_id for grown in fields}) == len({grown.site_id for grown in fields}) == 10
    assert sorted(grown.gateway_id for grown in fields) == [field.GATEWAYS[0]] * 5 + [field.GATEWAYS[1]] * 5
    assert all(grown.days[0] <= field.FIRST_DAY + 1 / 24 and grown.days[-1] > 125 for grown in fields)


def test_a_probe_measures_what_soil_and_air_can_be(fields: tuple[field.Field, ...]) -> None:
    for grown in fields:
        for day in range(1, 125):
            values = grown.values(day + 0.5)
            assert 0.05 < values["moisture"] < 0.6
            assert -25 < values["temperature"] < 50


def test_fields_are_the_same_every_time(fields: tuple[field.Field, ...]) -> None:
    repeated = field.fields(Registry.load(field.REGISTRY))
    assert [grown.values(77.7) for grown in repeated] == [grown.values(77.7) for grown in fields]


def test_after_its_season_a_field_keeps_its_last_values(fields: tuple[field.Field, ...]) -> None:
    assert fields[0].values(1000.0) == fields[0].values(float(fields[0].days[-1]))


def test_the_registry_names_the_day_on_which_the_season_began(tmp_path: Path) -> None:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    registry = Registry.load(field.write_registry(tmp_path, begin))
    assert {site.planted for site in registry.sites if site.crop} == {begin}
    assert not list(without_balance(registry))
    assert registry.devices == Registry.load(field.REGISTRY).devices


@pytest.mark.parametrize(("month", "north"), [(5, True), (6, False), (7, False), (11, False), (12, True)])
def test_the_fields_stand_where_the_season_ends_in_summer(tmp_path: Path, month: int, north: bool) -> None:
    registry = Registry.load(field.write_registry(tmp_path, datetime(2026, month, 15, tzinfo=UTC)))
    assert {site.latitude > 0 for site in registry.sites} == {north}


def test_a_reading_is_one_json_object() -> None:
    payload = field.reading(datetime(2026, 5, 1, tzinfo=UTC), 7, "b1", {"moisture": 0.25})
    assert payload == b'{"time":1777593600.0,"seq":7,"boot":"b1","values":{"moisture":0.25}}'
