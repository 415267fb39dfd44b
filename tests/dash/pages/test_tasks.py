"""What needs doing at a site is said once, whichever alerts tell of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dash.data import today
from dash.data.alerts import Alert
from dash.data.today import SiteToday
from dash.data.trust import Rejects
from dash.data.viewer import Viewer
from dash.pages.fields import verdict
from dash.pages.tasks import sound, tasks
from dash.pages.trust import by_reason
from tests.dash.farm import FarmWarehouse


@pytest.fixture
def sites(farm: FarmWarehouse) -> dict[str, SiteToday]:
    return {site.site_id: site for site in today.read(farm.asked_by(Viewer()), farm.now).sites}


def _alert(sites: dict[str, SiteToday], source: str, message: str, threshold: float | None) -> Alert:
    return replace(sites["mill"].alerts[0], source=source, device_id="soil-3", message=message, threshold=threshold, severity="warning")


def test_an_alert_that_a_field_dries_out_is_one_task_with_the_fields_own_advice(farm: FarmWarehouse, sites: dict[str, SiteToday]) -> None:
    dry = [_alert(sites, "irrigation", "Hill Field: no water needed today", 2.0), _alert(sites, "event", "Probe: water it soon", None)]
    [task] = tasks(replace(sites["hill"], alerts=tuple(dry)), farm.now)
    assert (task.urgency, task.what, task.why) == ("soon", "Hill Field needs water soon", "Enough for about 6 days without rain.")
    assert task.alert_id == dry[0].alert_id


@pytest.mark.parametrize("site", ["hill", "river"])
def test_an_alert_of_a_machine_beside_a_field_is_not_of_its_water(farm: FarmWarehouse, sites: dict[str, SiteToday], site: str) -> None:
    alert = sites["mill"].alerts[0]
    pump = replace(next(each for each in sites["mill"].machines if each.device_id == alert.device_id), label="normal")
    alone, beside = (tasks(replace(sites[site], machines=(pump,), alerts=of_site), farm.now) for of_site in ((), (alert,)))
    assert [task for task in beside if task.alert_id != alert.alert_id] == alone
    assert [task.what for task in beside if task.alert_id == alert.alert_id] == ["Grain Mill, Pump: the bearing is failing"]


@pytest.mark.parametrize("site", ["hill", "river"])
def test_a_frost_is_told_beside_the_water(farm: FarmWarehouse, sites: dict[str, SiteToday], site: str) -> None:
    frost = _alert(sites, "event", "Hill Field, Probe: frost (-1.5 °C)", 0.0)
    told = tasks(replace(sites[site], alerts=(frost,)), farm.now)
    assert "Hill Field, Probe: frost (-1.5 °C)" in [task.what for task in told]


@pytest.mark.parametrize(("days", "soon"), [(1.9, True), (2.1, False)])
def test_a_field_that_lasts_for_less_than_two_days_needs_water_soon_on_each_page(
    farm: FarmWarehouse, sites: dict[str, SiteToday], days: float, soon: bool
) -> None:
    field = replace(sites["hill"].field, rests_on="balance", balance_days=days)
    assert [task.urgency for task in tasks(replace(sites["hill"], field=field), farm.now)] == (["soon"] if soon else [])
    assert verdict(field, farm.now).startswith("Needs water soon" if soon else "No water needed")


def test_of_a_machine_that_sounds_normal_it_is_not_said_that_it_gets_worse(farm: FarmWarehouse, sites: dict[str, SiteToday]) -> None:
    fan = replace(next(each for each in sites["mill"].machines if each.label == "normal"), times_week_before=3.0)
    assert "times as far" not in sound(fan, farm.now)
    assert "3 times as far" in sound(replace(fan, label="failing"), farm.now)


def test_what_a_gateway_has_not_heard_since_it_started_is_not_called_silent(farm: FarmWarehouse) -> None:
    farm.silent = timedelta(hours=5)
    for started, told in ((timedelta(seconds=5), "2 of 2 sensors are not heard yet"), (timedelta(days=9), "2 of 2 sensors are silent")):
        farm.started = started
        [river] = [site for site in today.read(farm.asked_by(Viewer()), farm.now).sites if site.site_id == "river"]
        [task] = [task for task in tasks(river, farm.now) if "sensors" in task.what]
        assert task.what == f"{told} at River Field"
        assert "5 h" in task.why


def test_rejects_of_one_reason_are_one_entry_whose_replay_begins_with_the_first(farm: FarmWarehouse) -> None:
    first = Rejects(
        site_id="river",
        reason="not_finite",
        stage="gateway",
        rejects=3,
        replayed=1,
        devices=2,
        first_time=farm.now - timedelta(days=3),
        last_time=farm.now - timedelta(days=2),
        newest_message="moisture is nan",
    )
    later = replace(first, site_id="hill", rejects=4, first_time=farm.now - timedelta(days=1), last_time=farm.now, newest_message="newest")
    [one] = by_reason([first, later])
    assert (one.rejects, one.replayed, one.devices, one.sites) == (7, 2, 4, ("hill", "river"))
    assert (one.newest.newest_message, one.newest.first_time) == ("newest", first.first_time)
