"""The dashboards of Grafana: they ask for what there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.cloud import bigquery

from deploy.generate.grafana import GATEWAYS, PATH, WAREHOUSE, Panel, dashboards
from docs.generate import metrics


@pytest.mark.parametrize("panel", [*GATEWAYS, *PATH], ids=lambda panel: panel.title)
def test_a_panel_asks_for_metrics_that_are_exposed(panel: Panel) -> None:
    asked = set(re.findall(r"\btinybeam_\w+", panel.query))
    assert asked <= set(re.findall(r"`(tinybeam_\w+)`", metrics.page()))
    assert asked or "up{" in panel.query


@pytest.mark.parametrize("panel", WAREHOUSE, ids=lambda panel: panel.title)
def test_a_panel_of_the_warehouse_is_answered(panel: Panel, emptied: bigquery.Client) -> None:
    query = panel.query.replace("${__from}", "1777593600000").replace("${__to}", "1777680000000")
    assert "${" not in query
    assert list(emptied.query_and_wait(query)) == []


@pytest.mark.parametrize("name", dashboards())
def test_a_page_can_be_imported_anywhere(name: str) -> None:
    page: dict[str, Any] = dashboards()[name]
    [source] = page["templating"]["list"]
    assert (source["type"], source["name"]) == ("datasource", "source")
    assert len({panel["id"] for panel in page["panels"]}) == len(page["panels"])
    for panel in page["panels"]:
        assert panel["datasource"]["uid"] == panel["targets"][0]["datasource"]["uid"] == "${source}"
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
