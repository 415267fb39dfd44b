"""The pictures of the documents have the shape of their pages; TINYBEAM_WRITE_PICTURES=1 takes them anew.

Those of the live page are taken here whole; that of the report, of the demo that was run last, down to its machines.
"""

from __future__ import annotations

import io
import os
import re
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from lab.report import render
from lab.services.child import REPOSITORY
from tests.dash.conftest import Served
from tests.dash.pages.browsing import PAGES, opened

PICTURES = {"dash-today": ("today", "phone"), "dash-machine": ("machine", "phone"), "dash-field": ("field", "desk")}
"""Picture in docs -> page and screen."""
REPORT, DEMO = REPOSITORY / "docs" / "report.png", REPOSITORY / "build" / "demo" / render.FILE
REPORT_WIDTH, SHOWN_WIDTH, END = 1080, 720, "batch_paths"
"""The report as wide as it is looked at and as the picture is, which ends before the section of this name."""
MOST_BYTES = 150_000
WRITES = bool(os.environ.get("TINYBEAM_WRITE_PICTURES"))
_COLOURS = 64
_SAME_HEIGHT = 40
"""Pixels: how long ago things were takes a line more or less."""
_GAP = 24
_SHAPE = "Sections"
"""What a picture of the report says of itself: the sections that its template had."""


def _in_few_colours(picture: Image.Image) -> Image.Image:
    """Keeps colours that a page has little of, such as that of an alarm."""
    return picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def _shot(tab: Any, **part: Any) -> Image.Image:
    """Takes a page whole, or the part that a clip names."""
    with Image.open(io.BytesIO(tab.screenshot(full_page=True, **part))) as shot:
        return shot.convert("RGB")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_documents_has_the_shape_of_its_page_and_is_small(chromium: Any, page_of: Served, name: str) -> None:
    page, screen = PICTURES[name]
    tab, _ = opened(chromium, page_of.url + PAGES[page], screen)
    taken, file = _in_few_colours(_shot(tab)), REPOSITORY / "docs" / f"{name}.png"
    tab.context.close()
    if WRITES:
        taken.save(file, optimize=True)
    with Image.open(file) as kept:
        stale = f"{file.name} is {kept.size}, its page {taken.size}: TINYBEAM_WRITE_PICTURES=1 pytest {__file__}"
        assert kept.width == taken.width, stale
        assert abs(kept.height - taken.height) <= _SAME_HEIGHT, stale
    assert file.stat().st_size < MOST_BYTES


def test_the_picture_of_the_report_has_its_sections_and_is_small(chromium: Any) -> None:
    sections = ", ".join(re.findall(r'call (?:lede|folded)\("[^"]+", "([a-z_]+)"', (REPOSITORY / "lab/report/report.html.j2").read_text()))
    if WRITES:
        _write_report(chromium, sections)
    with Image.open(REPORT) as kept:
        stale = f"{REPORT.name} is of an older report: make demo, then TINYBEAM_WRITE_PICTURES=1 pytest {__file__}"
        assert kept.info.get(_SHAPE) == sections, stale
        assert kept.width == SHOWN_WIDTH, stale
    assert REPORT.stat().st_size < MOST_BYTES


def _write_report(chromium: Any, sections: str) -> None:
    assert DEMO.exists(), "the picture of the report is of a demo: make demo"
    tab = chromium.new_context(viewport={"width": REPORT_WIDTH, "height": 900}).new_page()
    tab.goto(DEMO.as_uri())
    end = tab.evaluate("id => document.getElementById(id).getBoundingClientRect().top", END) - _GAP
    said = PngImagePlugin.PngInfo()
    said.add_text(_SHAPE, sections)
    taken = _shot(tab, clip={"x": 0, "y": 0, "width": REPORT_WIDTH, "height": round(end)})
    small = taken.resize((SHOWN_WIDTH, round(taken.height * SHOWN_WIDTH / taken.width)), Image.Resampling.BOX)
    _in_few_colours(small).save(REPORT, optimize=True, pnginfo=said)
    tab.context.close()
