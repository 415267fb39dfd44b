"""A day is whole if nothing of it is missing, dropped, thinned or lost; a gateway of which nothing came is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dash.data.kept import Answer
from dash.data.viewer import Viewer
from dash.pages import alerts as alerts_page
from dash.pages import trust as trust_page
from dash.pages.fleet import card
from dash.pages.page import Asking
from dash.server.head import head
from dash.server.sign_in import Person
from tests.dash.farm import DAY, FarmWarehouse
from tests.dash.pages.test_fleet import NOW as FLEET_NOW
from tests.dash.pages.test_fleet import SITES, WELL

NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)
WHOLE = {"received": 10, "missing": 0, "declared": 0, "thinned": 0, "readings_lost": 0}


class Received(FarmWarehouse):
    """Answers of gateway-north alone that all of a day came but for what `lacks` says."""

    lacks: dict[str, int]

    def answer(self, *asked: Any) -> tuple[Answer, bool]:
        name, values = asked[0].name, asked[1]
        if name in {"lateness", "rejects"}:
            return Answer((), self.now, None), True
        if name != "completeness":
            found, is_new = super().answer(*asked)
            states = dict.fromkeys(
                ("models", "model_releases", "releases_refused", "started_time", "version", "time_quality", "oldest_pending_time")
            )
            numbers = dict.fromkeys(
                ("batches_dropped", "readings_dropped", "readings_lost", "store_bytes", "store_bytes_max", "devices_seen")
            )
            more = states | numbers | dict.fromkeys(("certificate_end_time", "inferences_failed"))
            return (replace(found, rows=tuple(dict(row) | more for row in found.rows)) if name == "gateways" else found), is_new
        assert values["from_time"] == datetime(2026, 5, 7, tzinfo=UTC)
        days = [{"gateway_id": "gateway-north", "site_id": "river", "day": values["from_time"] + day * DAY} for day in range(2)]
        return Answer((days[0] | WHOLE | self.lacks, days[1] | WHOLE), self.now, None), True


def _told(**lacks: int) -> dict[str, Any]:
    warehouse = Received(NOW)
    warehouse.lacks = lacks
    return trust_page.PAGE.content(Asking(warehouse.asked_by(Viewer()), NOW, {}, {"days": "1"}, may_answer=False))


@pytest.mark.parametrize(
    ("lacks", "headline", "words"),
    [
        ({"missing": 2}, "2 batches are missing", "83.3 % arrived, 2 batches missing"),
        ({"declared": 5}, "5 were dropped by their gateway", "66.7 % arrived, 5 dropped by the gateway"),
        ({"thinned": 3}, "No batch is missing", "100 % arrived, 3 thinned by the gateway, as its store was full"),
        ({"readings_lost": 7}, "7 readings were lost", "100 % arrived, 7 readings lost"),
    ],
)
def test_a_day_that_lacks_anything_is_not_whole(lacks: dict[str, int], headline: str, words: str) -> None:
    told = _told(**lacks)
    assert headline in told["headline"]
    assert [(cell.level, cell.words) for cell in told["lines"][0].cells] == [("gap", words), ("whole", "everything arrived")]
    assert told["whole"] == 0


def test_a_gateway_of_which_nothing_came_is_named_and_whole_are_the_others() -> None:
    told = _told()
    assert (told["whole"], told["silent"]) == (1, "gateway-mill")


def test_times_of_the_fleet_are_by_the_clock_that_the_page_names(farm: FarmWarehouse) -> None:
    for zone, clock in ((None, "12:00"), ("America/Chicago", "07:00"), ("Asia/Kolkata", "17:30")):
        facts = dict(card(replace(WELL, newest=FLEET_NOW.replace(hour=12, minute=0)), SITES, FLEET_NOW.replace(hour=13), zone).facts)
        assert facts["newest reading"] == clock
    told = head(farm.asked_by(Viewer()), farm.now, trust_page.PAGE, Person(None, Viewer(), answers=False))
    assert (told["zone"], told["zone_words"]) == ("Europe/Madrid", "of Europe/Madrid")


def test_clocks_of_sites_elsewhere_are_told_apart(farm: FarmWarehouse) -> None:
    class TwoZones(FarmWarehouse):
        def answer(self, *asked: Any) -> tuple[Answer, bool]:
            found, is_new = super().answer(*asked)
            rows = [dict(row) | ({"time_zone": "Africa/Tunis"} if row.get("site_id") == "hill" else {}) for row in found.rows]
            return replace(found, rows=tuple(rows)), is_new

    told = head(TwoZones(farm.now).asked_by(Viewer()), farm.now, trust_page.PAGE, Person(None, Viewer(), answers=False))
    assert told["zone_words"] == "of Europe/Madrid, but those of a site elsewhere, which are of its own clock"


def test_an_alert_that_a_later_one_followed_is_not_said_to_last(farm: FarmWarehouse) -> None:
    class Followed(FarmWarehouse):
        def answer(self, *asked: Any) -> tuple[Answer, bool]:
            found, is_new = super().answer(*asked)
            return replace(found, rows=tuple(dict(row) | ({"resolved_time": None} if "open" in row else {}) for row in found.rows)), is_new

    told = alerts_page.PAGE.content(Asking(Followed(farm.now).asked_by(Viewer()), farm.now, {}, {}, may_answer=False))
    assert [each["over"] for each in told["open"]] == [""]
    assert all(each["over"].endswith("and followed by a later one") for each in told["over"])
    assert told["over"]


def test_a_range_and_a_file_of_one_site_stay_with_it(farm: FarmWarehouse) -> None:
    asking = Asking(farm.asked_by(Viewer()), farm.now, {}, {"site": "mill&x=1"}, may_answer=False)
    told = alerts_page.PAGE.content(asking)["ranges"]
    assert all(address.endswith("&site=mill%26x%3D1") for address, _, _ in told.choices)
    assert told.fixed.endswith("&site=mill%26x%3D1")
