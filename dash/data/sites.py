"""How the sites are called, and which clocks they have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dash.data.warehouse import Questions


def names(questions: Questions, now: datetime) -> Mapping[str, str]:
    """Returns the name of each of the viewer's sites by its identifier. Raises Unreachable."""
    return {row["site_id"]: row["name"] for row in questions.query("sites", moment=now)}


def zones(questions: Questions, now: datetime) -> tuple[str | None, ...]:
    """Returns the time zone of each of the viewer's sites, None for UTC. Raises Unreachable."""
    return tuple(row["time_zone"] for row in questions.query("sites", moment=now))
