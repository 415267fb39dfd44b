"""No page says that all is well of what is silent, was not judged, or stood so in another time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from dash.data import freshness, machines, today
from dash.data.machines import MachineNow
from dash.data.today import SiteToday
from dash.data.viewer import Viewer
from dash.pages import today as today_page
from dash.pages.page import Asking
from dash.pages.tasks import quiet, tasks
from tests.dash.conftest import served
from tests.dash.farm import DAY, HOUR, FarmWarehouse, Rows


@pytest.fixture
def sites(farm: FarmWarehouse) -> dict[str, SiteToday]:
    return {site.site_id: site for site in today.read(farm.asked_by(Viewer()), farm.now).sites}


@pytest.fixture
def fan(farm: FarmWarehouse) -> MachineNow:
    return next(each for each in machines.overview(farm.asked_by(Viewer()), farm.now) if each.device_id == "machine-fan")


def _mill(sites: dict[str, SiteToday], *of_site: MachineNow) -> SiteToday:
    return replace(sites["mill"], machines=of_site, alerts=())


def test_a_machine_sounds_as_always_by_a_fresh_verdict_alone(farm: FarmWarehouse, sites: dict[str, SiteToday], fan: MachineNow) -> None:
    assert quiet(_mill(sites, fan), farm.now) == "sounds as always"
    for other in (replace(fan, label=None, judged_time=None), replace(fan, label="odd"), replace(fan, judged_time=farm.now - 2 * DAY)):
        assert quiet(_mill(sites, other), farm.now) == "0 of 1 machine sound as always, of the others it is not known"
        assert quiet(_mill(sites, fan, other), farm.now) == "1 of 2 machines sounds as always, of the others it is not known"


def test_a_machine_that_is_heard_and_not_judged_any_more_is_to_be_looked_at(
    farm: FarmWarehouse, sites: dict[str, SiteToday], fan: MachineNow
) -> None:
    [task] = tasks(_mill(sites, replace(fan, judged_time=farm.now - 3 * DAY)), farm.now)
    assert (task.urgency, task.what) == ("look", "Fan is heard, but was not judged for 3 days")


@pytest.mark.parametrize(("judged", "heard"), [(3 * DAY, HOUR), (3 * DAY, 3 * DAY), (2 * HOUR, 2 * HOUR)])
def test_how_a_machine_sounded_is_not_how_it_sounds(farm: FarmWarehouse, judged: timedelta, heard: timedelta) -> None:
    class Quiet(FarmWarehouse):
        def answer(self, *asked):  # type: ignore[no-untyped-def]
            found, is_new = super().answer(*asked)
            times = {"judged_time": farm.now - judged, "last_heard": farm.now - heard}
            rows: Rows = [dict(row) | {name: time for name, time in times.items() if name in row} for row in found.rows]
            return replace(found, rows=tuple(rows)), is_new

    with served(Quiet(farm.now)) as page:
        cards = requests.get(f"{page.url}/machines", timeout=30).text.partition('<ul class="cards">')[2].split("<li ")
        one = requests.get(f"{page.url}/machines/machine-fan", timeout=30).text
    pump, fan = cards[1:]
    assert "Stop it and look" in pump
    assert "It sounded failing when it was judged last" in pump
    for text in (fan, one):
        assert "as always" not in text
        assert "How it sounds now is not known" in text
    assert 'class="card look"' in fan


def test_a_field_that_was_heard_days_ago_is_not_said_to_need_no_water(farm: FarmWarehouse) -> None:
    farm.silent = 2 * DAY
    with served(farm) as page:
        texts = [requests.get(page.url + path, timeout=30).text for path in ("/fields", "/fields/hill")]
    for text in texts:
        assert "No water needed" not in text
        assert "Not known now: when it was heard last, it had enough for about 6 days" in text


@pytest.mark.parametrize(("path", "order"), [("/fields/river", "Water River Field"), ("/machines/machine-pump", "Stop it and look")])
def test_a_range_that_is_over_is_told_as_over_and_gives_no_orders_for_today(farm: FarmWarehouse, path: str, order: str) -> None:
    with served(farm) as page:
        now = requests.get(page.url + path, timeout=30).text
        then = requests.get(f"{page.url}{path}?from=2026-01-01&to=2026-02-28T12:00Z", timeout=30).text
    assert f"<strong>{order}" in now
    assert "This is how it stood" not in now
    assert f"<strong>As of 28 Feb, 13:00: {order}" in then or f"<strong>As of 28 Feb 2026: {order}" in then


def test_a_day_to_which_a_range_goes_is_of_it_and_nothing_is_known_of_the_future(farm: FarmWarehouse) -> None:
    def asking(**choice: str) -> Asking:
        return Asking(farm.asked_by(Viewer()), farm.now, {}, choice, may_answer=False)

    day = asking(**{"from": "2026-05-01", "to": "2026-05-01"}).span(7)
    assert day.end - day.begin == DAY
    assert asking(to="2026-05-01T12:00Z").span(7).end.hour == 12
    assert asking(to=f"{farm.now:%Y-%m-%d}").span(7).end == farm.now
    assert asking(to="2099-01-01").span(7).end == farm.now


@pytest.mark.parametrize("site_id", [None, "sold-field"])
def test_an_alert_of_no_site_of_the_registry_is_something_to_do(farm: FarmWarehouse, site_id: str | None) -> None:
    class OneAlert(FarmWarehouse):
        def answer(self, *asked):  # type: ignore[no-untyped-def]
            found, is_new = super().answer(*asked)
            kept = {"alerts": [dict(row) | {"site_id": site_id} for row in found.rows if row.get("open")], "advice": [], "machines": []}
            return replace(found, rows=tuple(kept.get(asked[0].name, found.rows))), is_new

    content = today_page.PAGE.content(Asking(OneAlert(farm.now).asked_by(Viewer()), farm.now, {}, {}, may_answer=False))
    assert content["headline"] == "1 alert to look at"
    assert [task.what for task in content["gateways"]] == ["Grain Mill, Pump: the bearing is failing"]


def test_a_gateway_is_heard_when_something_of_it_arrives_whatever_its_clock_says(farm: FarmWarehouse) -> None:
    class Ahead(FarmWarehouse):
        """The clock of gateway-mill is two hours ahead, and it has been silent for two hours."""

        def answer(self, *asked):  # type: ignore[no-untyped-def]
            found, is_new = super().answer(*asked)
            ahead = {"received_time": farm.now - 2 * HOUR, "heartbeat_time": farm.now, "newest": farm.now - 2 * HOUR}
            rows = [
                dict(row) | (ahead if row.get("gateway_id") == "gateway-mill" and "heartbeat_time" in row else {}) for row in found.rows
            ]
            return replace(found, rows=tuple(rows)), is_new

    [mill] = [each for each in freshness.read(Ahead(farm.now).asked_by(Viewer()), farm.now).gateways if each.gateway_id == "gateway-mill"]
    assert (mill.last_heard, mill.newest) == (farm.now - 2 * HOUR, farm.now - 2 * HOUR)
