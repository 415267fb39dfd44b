"""Offers the ranges of time that a page may show. All of a page's state is in its address, so that a copied address shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from dash.data.span import Span
from dash.pages.page import Asking
from dash.pages.times import when

_INSTANT = timedelta(microseconds=1)
_CHOICES = {1: "a day", 7: "a week", 30: "a month", 120: "a season", 365: "a year"}


@dataclass(frozen=True, slots=True)
class Ranges:
    """`choices` are address, words and whether it is shown; begin and end are days as 2026-05-01, both inclusive, `fixed` is the address of
    what is shown; `past` says when it ended if that is not now, by a place's clock.
    """

    choices: tuple[tuple[str, str, bool], ...]
    begin: str
    end: str
    fixed: str
    past: str


def ranges(asking: Asking, span: Span, default: int, place: str | None = None) -> Ranges:
    """Returns the choices of a page that shows `default` days unless its address says otherwise."""
    free = bool(asking.choice.get("from") or asking.choice.get("to"))
    chosen = None if free else asking.days(default)
    site = f"&site={quote(asking.choice['site'])}" if asking.choice.get("site") else ""
    return Ranges(
        tuple((f"?days={days}{site}", words, days == chosen) for days, words in _CHOICES.items()),
        f"{span.begin:%Y-%m-%d}",
        f"{span.end - _INSTANT:%Y-%m-%d}",
        f"?from={span.begin:%Y-%m-%dT%H:%M:%SZ}&to={span.end:%Y-%m-%dT%H:%M:%SZ}{site}",
        when(span.end, asking.now, place) if span.end < asking.now else "",
    )
