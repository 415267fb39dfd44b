"""The report, made of a small real season and looked at in a real browser, on a phone and on a desk."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import pytest
from google.cloud import bigquery
from PIL import Image

from edge.models.bundle import Bundle
from lab.acts import history
from lab.acts.analyst import empty, prepare
from lab.acts.faults import FaultInterval, PerformedAction
from lab.acts.gateways import BUNDLES
from lab.acts.run_record import Counts, RunRecord
from lab.acts.timeline import Timeline
from lab.report import render
from lab.report.query_results import QueryResults, gather
from lab.report.sections import fields
from lab.services.stack import Warehouse
from lab.services.webhook_receiver import ReceivedAlert
from lab.witness.latency import Arrival
from lab.world.device import devices
from lab.world.field import write_registry
from schemas.registry import Registry
from tests.attack import Attack
from tests.lab import browser
from tests.warehouses import silent

DAYS = 5
KEPT = ("soil-01", "soil-06", "machine-fan", "machine-elevator")
SCREENS = {"phone": (390, 844), "desk": (1280, 900)}
NOW = datetime.now(UTC)
STARTED = NOW - timedelta(minutes=2)
SOIL, VIBRATION = Bundle.load(BUNDLES / "soil"), Bundle.load(BUNDLES / "vibration")
SOUND = Counts(attempted=700, acknowledged=699, delivered=699, lost=0, repeated=0, unexpected=0)
in_a_browser = pytest.mark.skipif(browser.installed() is None, reason="chromium is not installed")


def _at(seconds: float) -> datetime:
    return STARTED + timedelta(seconds=seconds)


def _record(total: Counts = SOUND) -> RunRecord:
    """A minute with a kill in it."""
    times = [("gateway-north", 5, 8), ("gateway-north", 30, 41), ("gateway-south", 5, 7), ("gateway-south", 20, 23)]
    return RunRecord(
        history=SOUND,
        total=total,
        season_begin=NOW - timedelta(days=DAYS + 2),
        started=STARTED,
        ended=_at(60),
        actions=(
            PerformedAction(_at(15), "gateway-north is stopped dead", "a gateway was stopped dead"),
            PerformedAction(_at(19), "gateway-north starts again", ""),
        ),
        fault_intervals=(FaultInterval(_at(15), _at(25)),),
        arrivals=tuple(Arrival(f"{gateway}:1:{visible}", _at(newest), _at(visible)) for gateway, newest, visible in times),
        bytes_raw_mqtt=1_000_000,
        bytes_uplink=200_000,
        rows={"summaries": 12},
        parts={"broker": "mosquitto 2.0"},
        seconds=100.0,
        alerts=(
            ReceivedAlert(
                received=_at(31),
                event_time=_at(30),
                severity="warning",
                rule="field-dries-out",
                state="opened",
                subject="soil-01",
                message="Mill Field, Probe by the mill: water it now",
            ),
        ),
    )


@pytest.fixture(scope="module")
def results(warehouse: Warehouse, applied: bigquery.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryResults]:
    """Of two fields and two machines, through gateway, export files, pipeline and warehouse."""
    directory = tmp_path_factory.mktemp("season")
    timeline = Timeline.until(NOW, DAYS)
    file = write_registry(directory, timeline.begin)
    whole = Registry.load(file)
    few = replace(whole, devices=tuple(device for device in whole.devices if device.device_id in KEPT))
    for _ in history.simulate(devices(few), timeline, directory, lambda _: None):
        pass
    prepare(applied, whole, silent)
    history.load(directory / history.EXPORT_FOLDER, warehouse, directory / "batch.log", file)
    yield gather(applied, timeline.begin, NOW)
    empty(applied)


@pytest.fixture(scope="module")
def file(results: QueryResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render.page(_record(), results, SOIL, VIBRATION))
    return path


@pytest.fixture(scope="module", params=list(SCREENS))
def page(request: pytest.FixtureRequest, file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Page]:
    with browser.page(tmp_path_factory.mktemp("browser")) as opened:
        opened.open(file.as_uri(), *SCREENS[request.param])
        yield opened


@in_a_browser
def test_the_browser_has_nothing_to_complain_about_and_asks_for_nothing_else(page: browser.Page, file: Path) -> None:
    assert page.complaints == []
    assert page.requests == [file.as_uri()]


@in_a_browser
def test_nobody_has_to_scroll_sideways(page: browser.Page) -> None:
    assert page.value("document.documentElement.scrollWidth <= window.innerWidth")


@in_a_browser
def test_every_picture_that_is_shown_has_something_in_it(page: browser.Page) -> None:
    page.value(UNFOLD.format("true"))
    shown = page.value(VISIBLE)
    assert len(shown) == 2 + 2 + 3
    for box in shown:
        colours = Image.open(io.BytesIO(page.picture(clip=box))).convert("RGB").getcolors(1 << 24)
        assert len(colours) > 20, box


@in_a_browser
def test_the_letters_of_a_picture_can_be_read(page: browser.Page) -> None:
    sizes = page.value(LETTERS)
    assert len(sizes) > 30
    assert min(sizes) >= 11.5


@in_a_browser
def test_no_letters_of_a_picture_leave_the_page(page: browser.Page) -> None:
    assert page.value(OUTSIDE) == []


def test_a_chart_has_a_description_in_words(file: Path) -> None:
    heads = re.findall(r"<svg [^>]*>", file.read_text())
    assert len(heads) == 2 + 2 + 2 * 3
    assert all(re.search(r'role="img" aria-label="[^"]{30,}"', head) for head in heads)


def test_the_page_has_no_script_and_knows_no_address(file: Path) -> None:
    text = file.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"<script|https?:|//[a-z]|url\((?!#)|@import", text)


@in_a_browser
def test_a_phone_shows_it_in_few_screens(page: browser.Page) -> None:
    page.value(UNFOLD.format("false"))
    assert page.value("document.documentElement.scrollHeight / window.innerHeight") < 9


def test_a_field_is_shown_between_stress_and_what_its_soil_holds(results: QueryResults) -> None:
    shown = [balance for field in fields.content(results) for balance in field["balances"]]
    assert shown
    assert all(0.05 < balance["stress"] < balance["full"] < 0.5 for balance in shown)


def test_names_within_pictures_are_not_shared(file: Path) -> None:
    names = re.findall(r' id="([^"]+)"', file.read_text())
    assert len(names) == len(set(names))


def test_what_is_absent_is_described_as_absent() -> None:
    empty = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))
    record = replace(_record(), arrivals=(), actions=(), fault_intervals=(), bytes_raw_mqtt=0, bytes_uplink=0, alerts=())
    text = render.page(record, empty, SOIL, VIBRATION)
    assert text.count('class="empty"') == 8
    assert "<svg" not in text
    assert not re.search(r"\b(None|nan|inf)\b", text)


def test_a_loss_is_the_headline() -> None:
    empty = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))
    text = render.page(_record(replace(SOUND, delivered=696, lost=3)), empty, SOIL, VIBRATION)
    assert "<h1>3 lost.</h1>" in text
    assert "Nothing was lost" not in text


MARKUP = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" onmouseover="alert(1)', "</svg><script>alert(1)</script>")


def test_text_of_the_warehouse_is_no_markup(results: QueryResults, attack: Attack) -> None:
    pages = []
    for name in MARKUP:
        evil = tuple({**site, "name": name} for site in results.sites)
        pages.append(render.page(_record(), replace(results, sites=evil), SOIL, VIBRATION))
    shown = [escape(name) in page for name, page in zip(MARKUP, pages, strict=True)]
    attack(
        "html-markup",
        attacker="device",
        attempt="has a name that is markup or a script of a page",
        outcome="the report shows the name, and has no such element",
        attempts=len(MARKUP),
        accepted=sum(name in page or "<script" in page for name, page in zip(MARKUP, pages, strict=True)),
        control=f"{sum(shown)} of the {len(MARKUP)} names are on their page, escaped",
    )
    assert all(shown)


UNFOLD = "document.querySelectorAll('details').forEach(folded => folded.open = {})"
VISIBLE = """
[...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect()).filter(box => box.width > 0)
  .map(box => ({x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height}))
"""
LETTERS = """
[...document.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width > 0).flatMap(svg => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return [...svg.querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize) * scale);
})
"""
OUTSIDE = """
[...document.querySelectorAll('svg text')].filter(text => {
  const box = text.getBoundingClientRect();
  return box.width > 0 && (box.left < 0 || box.right > window.innerWidth);
}).map(text => text.textContent)
"""
