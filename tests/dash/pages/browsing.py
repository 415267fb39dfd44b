"""Opens pages of the dash in Debian's chromium, each in a browser that has seen nothing yet."""

from __future__ import annotations

from typing import Any

from lab.services.child import REPOSITORY

OUTPUT = REPOSITORY / "build" / "dash"
"""Where pictures and figures go."""
PAGES = {
    "today": "/",
    "fields": "/fields",
    "field": "/fields/river",
    "machines": "/machines",
    "machine": "/machines/machine-pump",
    "alerts": "/alerts",
}
OPERATORS = {"fleet": "/fleet", "trust": "/trust?days=1", "models": "/models?days=1", "cost": "/cost?days=1"}
SCREENS = {"phone": (390, 844), "desk": (1280, 900)}


def opened(chromium: Any, url: str, screen: str, scheme: str = "light") -> tuple[Any, list[str]]:
    """Returns a tab, and the list of what it complains about."""
    width, height = SCREENS[screen]
    tab = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=screen == "phone").new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(url)
    return tab, complaints
