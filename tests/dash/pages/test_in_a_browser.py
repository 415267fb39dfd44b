"""The live page in Debian's chromium: a phone and a desk, light and dark, by keyboard, with what is empty, silent or away.

Writes build/dash: a picture of each page and width.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.dash.conftest import Served, served
from tests.dash.farm import FarmWarehouse
from tests.dash.pages.browsing import OPERATORS, OUTPUT, PAGES, SCREENS, opened

SMALLEST = """() => Math.min(...[...document.querySelectorAll('body *')].filter(e => e.getClientRects().length && [...e.childNodes]
  .some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
  const svg = e.ownerSVGElement, size = parseFloat(getComputedStyle(e).fontSize);
  return svg ? size * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : size; }))"""
NAMELESS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary, svg, [role=region]')]
  .filter(e => e.getClientRects().length && !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent.trim()))
  .map(e => e.outerHTML)"""


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_on_a_phone_and_a_desk_and_has_nothing_to_complain_about(
    chromium: Any, page_of: Served, name: str, screen: str
) -> None:
    _read(chromium, page_of.url + PAGES[name], screen, name)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", OPERATORS)
def test_a_page_for_operators_can_be_read_alike(chromium: Any, operators: Served, name: str, screen: str) -> None:
    _read(chromium, operators.url + OPERATORS[name], screen, name)


def _read(chromium: Any, url: str, screen: str, name: str) -> None:
    """Looks at a page and takes its picture."""
    tab, complaints = opened(chromium, url, screen)
    assert tab.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen][0]
    assert tab.evaluate(SMALLEST) >= 14
    assert tab.evaluate(NAMELESS) == []
    assert tab.locator("h1").count() == 1
    OUTPUT.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=OUTPUT / f"{name}-{screen}.png", full_page=True)
    tab.context.close()
    assert complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_dark_has_dark_paper_and_light_ink(chromium: Any, page_of: Served, name: str) -> None:
    tab, complaints = opened(chromium, page_of.url + PAGES[name], "phone", "dark")
    paper, ink = (tab.evaluate(f"getComputedStyle(document.body).{what}") for what in ("backgroundColor", "color"))
    tab.screenshot(path=OUTPUT / f"{name}-phone-dark.png", full_page=True)
    tab.context.close()
    assert sum(map(int, re.findall(r"\d+", paper))) < 200
    assert sum(map(int, re.findall(r"\d+", ink))) > 550
    assert complaints == []


def test_by_keyboard_alone_one_gets_from_today_to_a_field(chromium: Any, page_of: Served) -> None:
    tab, complaints = opened(chromium, page_of.url, "desk")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"
    for _ in range(30):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.getAttribute('href')") == "/fields/river":
            break
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/fields/river")
    assert tab.locator("h1").inner_text() == "River Field"
    assert complaints == []
    tab.context.close()


def test_a_screen_reader_hears_where_it_is_what_is_fresh_and_what_charts_show(chromium: Any, page_of: Served) -> None:
    tab, _ = opened(chromium, page_of.url + "/fields/river", "desk")
    heard = tab.locator("body").aria_snapshot()
    tab.context.close()
    assert 'navigation "Pages"' in heard
    assert "As of" in heard
    assert "the advice rests on this" in heard
    assert re.search(r'img "Soil moisture of River Field, from', heard)


def test_an_alert_is_answered_by_hand(chromium: Any, page_of: Served) -> None:
    tab, complaints = opened(chromium, page_of.url + "/alerts", "phone")
    tab.locator("summary", has_text="Answer").first.click()
    tab.get_by_role("button", name="A part was replaced").first.click()
    tab.wait_for_url("**/alerts?noted=1")
    assert tab.get_by_text("Your answer is noted").is_visible()
    tab.context.close()
    assert [label.answer for label in page_of.labels.kept] == ["replaced"]
    assert complaints == []


@pytest.mark.parametrize("path", ["/", "/cost"])
def test_the_way_to_every_page_is_seen_on_a_phone(chromium: Any, operators: Served, path: str) -> None:
    tab, _ = opened(chromium, operators.url + path, "phone")
    ends = tab.evaluate("[...document.querySelectorAll('nav[aria-label=Pages] a')].map(a => a.getBoundingClientRect().right)")
    tab.context.close()
    assert len(ends) == 8
    assert max(ends) <= SCREENS["phone"][0]


def test_a_button_says_which_alert_it_answers(chromium: Any, page_of: Served) -> None:
    tab, _ = opened(chromium, page_of.url + "/alerts", "phone")
    button = tab.get_by_role("button", name="I look after it").first
    described = button.evaluate("button => document.getElementById(button.getAttribute('aria-describedby')).textContent")
    tab.context.close()
    assert described == "Grain Mill, Pump: the bearing is failing"


def test_a_screen_reader_is_told_what_changed_and_not_that_minutes_pass(chromium: Any, farm: FarmWarehouse, page_of: Served) -> None:
    tab = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    tab.clock.install()
    tab.goto(page_of.url + "/fields/river")
    tab.locator("#days > summary").focus()
    for minutes in (1, 2):
        farm.now += timedelta(minutes=1)
        _renewed(tab)
        assert tab.evaluate("document.activeElement.closest('details')?.id") == "days", f"focus after {minutes} min"
    assert tab.locator("[role=status], [role=alert], [aria-live]").all_inner_texts() == ["", ""]
    farm.silent = timedelta(days=7)
    _renewed(tab)
    tab.locator("#news", has_text="Gateway north has been silent for 7 days").wait_for(state="attached")
    tab.context.close()


def _renewed(tab: Any) -> None:
    """Lets a minute pass, until the page was renewed."""
    tab.evaluate("document.getElementById('live').dataset.old = 'yes'")
    tab.clock.run_for(61_000)
    tab.locator("#live:not([data-old])").wait_for()


def test_a_page_renews_itself_and_says_so_when_it_cannot(chromium: Any, farm: FarmWarehouse, page_of: Served) -> None:
    width, height = SCREENS["phone"]
    tab = chromium.new_context(viewport={"width": width, "height": height}).new_page()
    tab.clock.install()
    tab.goto(page_of.url)
    farm.silent = timedelta(days=7)
    tab.clock.run_for(11_000)
    tab.locator(".fresh").get_by_text("Gateway north has been silent for 7 days").wait_for()
    farm.away = True
    tab.clock.run_for(61_000)
    tab.get_by_text("could not be renewed").wait_for()
    said = tab.locator("#stale").inner_text()
    tab.clock.run_for(61_000)
    assert tab.locator("#stale").inner_text() == said
    tab.screenshot(path=OUTPUT / "silent-phone.png", full_page=True)
    tab.context.close()


@pytest.mark.parametrize("state", ["bare", "away"])
def test_what_is_empty_or_away_is_a_page_with_a_sentence(chromium: Any, farm: FarmWarehouse, state: str) -> None:
    setattr(farm, state, True)
    with served(farm) as page:
        tab, _ = opened(chromium, page.url, "phone")
        OUTPUT.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=OUTPUT / f"{state}-phone.png", full_page=True)
        text = tab.locator("main").inner_text()
        tab.context.close()
    assert "fine" not in text
    assert len(text) > 40
