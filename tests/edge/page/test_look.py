"""The gateway's page in a real browser: on a phone and on a screen, light and dark, and when the gateway is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.models.bundle import Bundle
from schemas.envelope import micros
from schemas.records import Inference
from tests.edge.gateways import START
from tests.edge.page.test_page import Place, moisture
from tests.lab import browser

NEEDS_A_BROWSER = pytest.mark.skipif(browser.installed() is None, reason="chromium is not installed (apt install chromium)")

_SOIL = Path(__file__).parents[3] / "models" / "soil"
_PICTURES = Path(__file__).parents[3] / "build" / "edge-page"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Three probes: one dry and about to need water, one that is well, one that fell silent."""
    place = Place(tmp_path)
    bundle = Bundle.load(_SOIL)
    for number in range(40):
        place.hear("d1", **moisture(0.3 - number * 0.003))
        place.hear("d2", **moisture(0.35 + (number % 7) * 0.002))
        if number < 20:
            place.hear("d3", **moisture(0.28))
        place.go_on(30)
    for device, label, score in (("d1", "now", 1.4), ("d2", "fine", 9.3)):
        place.page.recent.verdict(_said(device, label, score), device, micros(place.now), bundle)
    place.hear("d9", values={"moisture": "wet"})
    yield place
    place.close()


def _said(device: str, label: str, score: float) -> Inference:
    fields: dict[str, Any] = {"model": "soil", "model_version": "1", "model_sha256": "0", "runtime": "none", "time_quality": "synced"}
    return Inference(
        device_id=device, window_start=START, window_seconds=10, label=label, score=score, uncertainty=1.0, features=(), **fields
    )


@NEEDS_A_BROWSER
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_read_at_a_glance(place: Place, tmp_path: Path, width: int, scheme: str) -> None:
    with browser.page(tmp_path) as page:
        page.open(f"http://127.0.0.1:{place.page.port}/", width, 844, scheme)
        assert page.value("document.documentElement.scrollWidth") <= width
        smallest = page.value(
            "Math.min(...[...document.querySelectorAll('main *')].filter(each => each.textContent.trim())"
            ".map(each => parseFloat(getComputedStyle(each).fontSize)))"
        )
        assert smallest >= 12
        assert page.value("document.querySelectorAll('svg[role=img][aria-label]').length") == 3
        _PICTURES.mkdir(parents=True, exist_ok=True)
        (_PICTURES / f"{width}-{scheme}.png").write_bytes(page.picture(whole=True))
        assert page.complaints == []


def test_what_needs_doing_comes_first(place: Place) -> None:
    notices = [re.sub("<[^>]*>", "", row) for row in re.findall("<li class=[^>]*>(<b>.*?)</li>", place.get("/now")[1])]
    assert notices == [
        "Now: This gateway: Does not hear its broker (offline): no device over MQTT is heard.",
        "Look: d1: dry: moisture is too low, 0.198 m³/m³.",
        "Look: d1: Needs water now: stress begins in about 1 day if nothing is given.",
        "Look: d3: Not heard for 10 min: look at its battery, its radio and the way between.",
    ]


@NEEDS_A_BROWSER
def test_what_is_shown_goes_on_by_itself_and_stops_loudly(place: Place, tmp_path: Path) -> None:
    with browser.page(tmp_path) as page:
        page.open(f"http://127.0.0.1:{place.page.port}/", 390, 844)
        place.hear("d4", **moisture(0.3))
        page.do("Runtime.evaluate", expression="look()", awaitPromise=True)
        assert "d4" in page.value("document.body.textContent")
        assert page.value("document.getElementById('stale').hidden")
        place.page.stop()
        page.do("Runtime.evaluate", expression="look()", awaitPromise=True)
        assert "has not answered since" in page.value("document.getElementById('stale').textContent")
        assert not page.value("document.getElementById('stale').hidden")
