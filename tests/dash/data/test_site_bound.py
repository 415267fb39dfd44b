"""A viewer of one site gets nothing of another one, by any query and any parameter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from dash.data import alerts, cost, devices, export, fields, fleet, freshness, machines, models, today, trust
from dash.data.span import Span
from dash.data.viewer import Viewer
from dash.data.warehouse import Warehouse, queries
from tests.dash.data.farm import asked_by, both
from tests.sql.test_cases import filled

NOW = datetime(2026, 5, 1, 13, tzinfo=UTC)
DAY = Span(NOW - timedelta(days=1), NOW)
FOREIGN = {"site_id": "south", "device_id": "pump-south", "model": "vibration"}
OTHERS = {"moment": NOW, "from_time": DAY.begin, "to_time": NOW, "step_seconds": 3600, "open_alone": False, "most": 500}


@pytest.fixture(scope="module")
def farm(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    with filled(applied, both(), NOW):
        yield applied


def asked(name: str, given: dict[str, object]) -> dict[str, object]:
    wanted = {parameter.name for parameter in queries()[name].parameters}
    return {key: value for key, value in given.items() if key in wanted}


@pytest.mark.parametrize("name", queries())
def test_the_sql_itself_answers_nothing_of_another_site(farm: bigquery.Client, name: str) -> None:
    bound = {"sites": ["north"], "all_sites": False}
    for given in (OTHERS | FOREIGN, OTHERS | {"site_id": "", "device_id": "", "model": "vibration"}):
        answer, _ = Warehouse(farm, 0.0).answer(queries()[name], asked(name, given) | bound, timedelta())
        assert "south" not in str(answer.rows)


@pytest.mark.parametrize("name", sorted(queries().keys() - {"release_health", "outcomes"}))
def test_who_sees_everything_is_answered_of_both(farm: bigquery.Client, name: str) -> None:
    found = ""
    for site in ("north", "south"):
        own = {"site_id": site, "device_id": f"pump-{site}", "model": "vibration"}
        found += str(asked_by(farm).query(name, **asked(name, OTHERS | own)))
    assert "north" in found
    assert "south" in found


def test_a_page_of_another_site_is_as_if_it_were_not_there(farm: bigquery.Client) -> None:
    north = asked_by(farm, "north")
    assert fields.read(north, "south", DAY) is None
    assert machines.read(north, "pump-south", DAY) is None
    assert alerts.read(north, DAY, "south") == ()
    pages = (today.read(north, NOW), fields.overview(north, NOW), machines.overview(north, NOW), alerts.read(north, DAY))
    of_operators = (fleet.read(north, NOW), trust.read(north, DAY), models.read(north, NOW, DAY), cost.read(north, DAY))
    for page in (*pages, *of_operators, devices.read(north, NOW), freshness.read(north, NOW), fields.read(north, "north", DAY)):
        assert "north" in str(page)
        assert "south" not in str(page)


@pytest.mark.parametrize("name", export.NAMES)
def test_a_file_has_nothing_of_another_site(farm: bigquery.Client, name: str) -> None:
    foreign = FOREIGN.get(export.NAMES[name].subject or "", "")
    assert len(list(export.rows(asked_by(farm), name, DAY, foreign))) > 1
    assert "south" not in str(list(export.rows(asked_by(farm, "north"), name, DAY, foreign)))


def test_how_a_release_does_in_the_whole_fleet_is_for_who_sees_every_site(farm: bigquery.Client) -> None:
    assert models.read(asked_by(farm), NOW, DAY).decisions
    assert models.read(asked_by(farm, "north", "south"), NOW, DAY).decisions == ()
    assert models.health(asked_by(farm), DAY)
    assert models.health(asked_by(farm, "north", "south"), DAY) == ()


def test_who_sees_no_site_sees_nothing(farm: bigquery.Client) -> None:
    nobody = Warehouse(farm, 0.0).asked_by(Viewer(()))
    assert today.read(nobody, NOW).sites == ()
    assert freshness.read(nobody, NOW).gateways == ()


def test_no_caller_can_widen_what_its_viewer_sees(farm: bigquery.Client) -> None:
    north = asked_by(farm, "north")
    with pytest.raises(TypeError, match="takes no all_sites"):
        north.query("sites", moment=NOW, all_sites=True)
    with pytest.raises(TypeError, match="takes no sites"):
        north.query("sites", moment=NOW, sites=["south"])
