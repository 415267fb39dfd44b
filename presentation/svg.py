"""Charts become SVG without JavaScript: Vega-Lite by altair, drawn by vl-convert, coloured by the page's CSS variables.

Each chart has a description in words (aria-label), for those who do not see it. The page gives each colour its shade, so that one chart
serves light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from itertools import count
from typing import Any

import altair as alt
import vl_convert

Chart = Any
Points = Sequence[dict[str, Any]]

INK, MUTED, GRID = "var(--ink)", "var(--muted)", "var(--grid)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

NARROW, WIDE = 340, 960
"""Widths that a chart is drawn for: a phone and a desk. Which of the two is shown is up to the page."""
LETTERS = 12
"""Height of letters in a chart whose reader has a desk, or little room; a page for phones has larger ones."""
_numbers = count(1)


def both_widths(draw: Callable[[int], Chart], description: str, named: Mapping[str, Points] | None = None, letters: int = LETTERS) -> str:
    """Draws the chart for a phone and for a desk: `both_widths(lambda width: completeness(cells, lanes, width), "...")`.

    `named` are points that charts of `alt.NamedData` draw: many points are handed on so, as a chart copies its own with each step.
    """
    widths = (("wide", WIDE), ("narrow", NARROW))
    return "".join(f'<div class="{name}">{svg(draw(width), description, named, letters)}</div>' for name, width in widths)


def svg(chart: Chart, description: str, named: Mapping[str, Points] | None = None, letters: int = LETTERS) -> str:
    """Renders one `<svg>` element that scales with the page."""
    specification = _styled(chart, letters).to_dict(validate=False)
    if named:
        specification["datasets"] = {name: _plain(points) for name, points in named.items()}
    picture = vl_convert.vegalite_to_svg(specification)
    head, body = picture.split(">", 1)
    _, _, size = head.partition('viewBox="')
    width = size.split()[2]
    label = f'role="img" aria-label="{escape(description)}" viewBox="{size} style="max-width:{float(width) * 1.25:.0f}px"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {label}>{_unique_ids(body)}'


def _unique_ids(body: str) -> str:
    """Clip paths of one page must not share a name."""
    number = next(_numbers)
    return re.sub(r'(id="|url\(#)(?=[A-Za-z])', rf"\g<1>c{number}-", body)


def _styled(chart: Chart, letters: int) -> Chart:
    axis = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": letters,
        "titleFontSize": letters,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelPadding": 4,
        "tickSize": 4,
    }
    return (
        chart.configure(aria=False, font=FONT, background="transparent")
        .configure_axis(**axis)
        .configure_axisY(domain=False, ticks=False)
        .configure_axisX(grid=False)
        .configure_view(stroke=None)
        .configure_concat(spacing=10)
    )


@cache
def _no_row_limit() -> None:
    alt.data_transformers.disable_max_rows()


def data(points: Points) -> alt.Data:
    """Converts times to milliseconds since 1970, which need no guess about zones."""
    _no_row_limit()
    return alt.Data(values=_plain(points))


def _plain(points: Points) -> list[dict[str, Any]]:
    return [{key: value.timestamp() * 1000 if isinstance(value, datetime) else value for key, value in point.items()} for point in points]
