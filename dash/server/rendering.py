"""Fills templates: a page's content between head and foot. Nothing of the data is shown unescaped but charts that we drew."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import presentation
from dash.pages.times import ago, when
from presentation import wording

ROOM = Path(__file__).parents[1]


@cache
def environment() -> Environment:
    """Returns the environment of the templates."""
    loader = FileSystemLoader(ROOM / "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["message"] = wording.short
    made.filters |= {
        function.__name__: function
        for function in (
            ago,
            when,
            wording.capital,
            wording.count,
            wording.counted,
            wording.listed,
            wording.plain,
            wording.size,
            wording.unit,
        )
    }
    return made


def rendered(template: str, content: dict[str, Any]) -> str:
    return environment().get_template(template).render(content)


@cache
def stylesheet() -> str:
    """Returns the colours that all pages of ours have, and the page's own style."""
    colours = Path(presentation.__file__).with_name("colours.css").read_text(encoding="utf-8")
    return colours + (ROOM / "static" / "style.css").read_text(encoding="utf-8")
