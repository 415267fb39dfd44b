"""Today: what needs doing, in words, site by site."""

from __future__ import annotations

from typing import Any

from dash.data import today
from dash.data.today import SiteToday, Today
from dash.pages.page import Asking, Page
from dash.pages.tasks import ORDER, Task, of_alert, quiet, tasks
from presentation.wording import counted, listed


def _content(asking: Asking) -> dict[str, Any]:
    told = today.read(asking.questions, asking.now)
    busy = [(site, found) for site in told.sites if (found := tasks(site, asking.now))]
    busy.sort(key=lambda pair: ORDER.index(pair[1][0].urgency))
    idle = [(site, quiet(site, asking.now)) for site in told.sites if site not in [site for site, _ in busy]]
    gateways = [of_alert(alert, asking.now) for alert in told.alerts]
    return {"headline": _headline(told, busy), "busy": busy, "idle": idle, "gateways": gateways}


def _headline(told: Today, busy: list[tuple[SiteToday, list[Task]]]) -> str:
    """Sums up the day in one sentence."""
    if not told.sites:
        return "No site is in the registry yet"
    dry = sum(site.field is not None and site.field.action == "water" for site in told.sites)
    bad = sum(task.link.startswith("/machines/") for _, found in busy for task in found)
    silent = sum(bool(site.silent) for site in told.sites)
    parts = [
        *([f"{counted(dry, 'field')} to water"] if dry else []),
        *([f"{counted(bad, 'machine')} to look at"] if bad else []),
        *([f"silence at {counted(silent, 'site')}"] if silent else []),
    ]
    if parts:
        return listed(parts)
    if told.alerts:
        return f"{counted(len(told.alerts), 'alert')} to look at"
    return f"{counted(len(busy), 'site')} to look at" if busy else "Nothing to do that we know of"


PAGE = Page("/", "Today", "today.html.j2", _content)
