"""Lists the pages, in the order of the navigation. A new page is a module with a PAGE, a template and a line here."""

from __future__ import annotations

from dash.pages import alerts, cost, fields, fleet, machines, models, today, trust
from dash.pages.page import Page

PAGES: tuple[Page, ...] = (
    today.PAGE,
    fields.OVERVIEW,
    fields.FIELD,
    machines.OVERVIEW,
    machines.MACHINE,
    fleet.PAGE,
    alerts.PAGE,
    trust.PAGE,
    models.PAGE,
    cost.PAGE,
)
