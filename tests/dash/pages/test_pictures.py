"""The pictures of the documents have the shape of their pages; TINYBEAM_WRITE_PICTURES=1 takes them anew."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest
from PIL import Image

from lab.services.child import REPOSITORY
from tests.dash.conftest import Served
from tests.dash.pages.browsing import PAGES, opened

PICTURES = {"dash-today": ("today", "phone"), "dash-machine": ("machine", "phone"), "dash-field": ("field", "desk")}
"""Picture in docs -> page and screen."""
MOST_BYTES = 150_000
MOST_HEIGHT = 1500
_COLOURS = 64
_SAME_HEIGHT = 40
"""Pixels: how long ago things were takes a line more or less."""


def picture(chromium: Any, url: str, screen: str) -> Image.Image:
    """Takes a page from its head, in few colours."""
    tab, _ = opened(chromium, url, screen)
    with Image.open(io.BytesIO(tab.screenshot(full_page=True))) as shot:
        taken = shot.convert("RGB")
    tab.context.close()
    return taken.crop((0, 0, taken.width, min(taken.height, MOST_HEIGHT))).quantize(_COLOURS)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_documents_has_the_shape_of_its_page_and_is_small(chromium: Any, page_of: Served, name: str) -> None:
    page, screen = PICTURES[name]
    taken, file = picture(chromium, page_of.url + PAGES[page], screen), REPOSITORY / "docs" / f"{name}.png"
    if os.environ.get("TINYBEAM_WRITE_PICTURES"):
        taken.save(file, optimize=True)
    with Image.open(file) as kept:
        stale = f"{file.name} is {kept.size}, its page {taken.size}: TINYBEAM_WRITE_PICTURES=1 pytest {__file__}"
        assert kept.width == taken.width, stale
        assert abs(kept.height - taken.height) <= _SAME_HEIGHT, stale
    assert file.stat().st_size < MOST_BYTES
