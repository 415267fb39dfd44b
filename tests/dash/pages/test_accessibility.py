"""Every text and every line of a chart can be read, by day and by night and whatever one's sight, and everything has a name.

Colours are those that chromium computed, not those that a stylesheet hopes for.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from tests.dash.conftest import Served
from tests.dash.pages.browsing import OPERATORS, PAGES, opened
from tests.dash.pages.sight import SIGHTS, colour, contrast, difference

BACKGROUND = """const under = e => { for (let at = e; at; at = at.parentElement) {
  const found = getComputedStyle(at).backgroundColor; if (!/, 0\\)|transparent/.test(found)) return found; } return 'rgb(255, 255, 255)'; };
  const shown = e => e.getClientRects().length && getComputedStyle(e).visibility === 'visible' && !e.closest('.unseen, .skip, [hidden]');"""
TEXTS = f"""() => {{ {BACKGROUND} return [...document.querySelectorAll('body *')].filter(e => shown(e) && [...e.childNodes]
  .some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {{ const style = getComputedStyle(e); return {{
  text: e.textContent.trim().slice(0, 40), ink: e.ownerSVGElement ? style.fill : style.color, paper: under(e),
  pixels: parseFloat(style.fontSize), bold: parseInt(style.fontWeight) >= 700 }}; }}); }}"""
MARKS = f"""() => {{ {BACKGROUND} const charts = [...document.querySelectorAll('svg')];
  return charts.flatMap((chart, number) => [...chart.querySelectorAll('.role-mark path, .role-mark line')].filter(shown).map(e => {{
  const style = getComputedStyle(e), is_line = style.stroke !== 'none';
  const panel = [...chart.querySelectorAll('.role-scope')].findLastIndex(scope => scope.contains(e));
  return {{ ink: is_line ? style.stroke : style.fill, opacity: parseFloat(style.opacity), paper: under(e), panel: `${{number}} ${{panel}}`,
    dash: style.strokeDasharray, kind: is_line ? 'line' : 'area' }}; }})).filter(mark => mark.ink !== 'none' && mark.opacity >= 0.5); }}"""
"""What charts draw with, but for what is pale on purpose: the band from the lowest to the highest around a mean."""
APART = 20.0
"""As CIE76: far more than what is just noticeable, as marks are thin."""
NAMELESS = re.compile(r"^\s*- (?:link|button|img|textbox|spinbutton|combobox|checkbox|region|navigation)(?::|$)", re.MULTILINE)


def hard_to_read(texts: list[dict[str, Any]]) -> list[str]:
    """Names the texts that lack the contrast of WCAG 2 AA: 4.5, or 3 of what is large."""
    found = ((text, contrast(colour(text["ink"]), colour(text["paper"]))) for text in texts)
    return [f"{text['text']}: {ratio:.2f}" for text, ratio in found if ratio < (3 if _is_large(text) else 4.5)]


def hard_to_see(marks: list[dict[str, Any]]) -> list[str]:
    """Names the colours of marks that lack the contrast of WCAG 2 AA for what is drawn: 3."""
    found = {(mark["ink"], mark["paper"]) for mark in marks}
    return [f"{ink} on {paper}" for ink, paper in sorted(found) if contrast(colour(ink), colour(paper)) < 3]


def alike(marks: list[dict[str, Any]]) -> list[str]:
    """Names the pairs of one panel that a sight cannot tell apart, neither by colour nor by dash or shape."""
    kinds = {(mark["panel"], mark["ink"], mark["dash"], mark["kind"]) for mark in marks}
    pairs = (pair for pair in combinations(sorted(kinds), 2) if pair[0][0] == pair[1][0] and pair[0][1] != pair[1][1])
    same_shape = (pair for pair in pairs if pair[0][2:] == pair[1][2:])
    return [
        f"{one[1]} and {other[1]} by {sight}"
        for one, other in same_shape
        for sight in SIGHTS
        if difference(colour(one[1]), colour(other[1]), sight) < APART
    ]


def _is_large(text: dict[str, Any]) -> bool:
    return text["pixels"] >= 24 or (text["bold"] and text["pixels"] >= 18.66)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_everything_is_readable_whatever_the_light_and_the_sight(chromium: Any, page_of: Served, name: str, scheme: str) -> None:
    _look(chromium, page_of.url + PAGES[name], scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", OPERATORS)
def test_pages_for_operators_are_readable_alike(chromium: Any, operators: Served, name: str, scheme: str) -> None:
    _look(chromium, operators.url + OPERATORS[name], scheme)


def _look(chromium: Any, url: str, scheme: str) -> None:
    tab, _ = opened(chromium, url, "phone", scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    texts, marks = tab.evaluate(TEXTS), tab.evaluate(MARKS)
    heard = tab.locator("body").aria_snapshot()
    tab.context.close()
    assert len(texts) > 10
    assert hard_to_read(texts) == []
    assert hard_to_see(marks) == []
    assert alike(marks) == []
    assert NAMELESS.findall(heard) == []


def test_a_field_has_marks_to_look_at(chromium: Any, page_of: Served) -> None:
    tab, _ = opened(chromium, page_of.url + PAGES["field"], "phone")
    marks = tab.evaluate(MARKS)
    tab.context.close()
    assert {mark["kind"] for mark in marks} == {"line", "area"}
    assert len({mark["ink"] for mark in marks}) >= 5


def test_what_is_pale_alike_or_nameless_is_found(chromium: Any) -> None:
    page = """<p style="color:#999">pale</p><p style="font-size:24px;color:#949494">large</p><button></button><svg><g class="role-mark">
      <path d="M0 0h9" stroke="#00ff00"/><path d="M0 9h9" stroke="#d55e00"/><path d="M0 5h9" stroke="#6f8300"/></g></svg>"""
    tab = chromium.new_page()
    tab.set_content(page)
    texts, marks, heard = tab.evaluate(TEXTS), tab.evaluate(MARKS), tab.locator("body").aria_snapshot()
    tab.close()
    assert hard_to_read(texts) == ["pale: 2.85"]
    assert hard_to_see(marks) == ["rgb(0, 255, 0) on rgb(255, 255, 255)"]
    assert any("protanopia" in pair or "deuteranopia" in pair for pair in alike(marks))
    assert len(NAMELESS.findall(heard)) == 2


def test_black_on_white_has_all_contrast_and_the_sights_keep_grey() -> None:
    black, white = colour("rgb(0, 0, 0)"), colour("rgb(255, 255, 255)")
    assert contrast(black, white) == pytest.approx(21)
    assert all(difference(black, white, sight) == pytest.approx(100, abs=0.1) for sight in SIGHTS)
