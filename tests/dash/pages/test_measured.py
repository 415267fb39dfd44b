"""What it takes to look, at each page and width: of a local warehouse with a small farm, in Debian's chromium.

Writes build/dash/summary.json. Ten million summaries are `python -m bench dash`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from google.cloud import bigquery

from bench.farm import Farm, device_of, fill_days, site_of
from dash.data.warehouse import Warehouse
from lab.acts.analyst import empty
from sql.registry import load
from tests.dash.conftest import Served, served_by
from tests.dash.pages.browsing import OPERATORS, OUTPUT, PAGES, SCREENS, opened
from tests.warehouses import silent

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
NOW = MIDNIGHT + timedelta(minutes=5)
FARM = Farm(sites=6, devices=4, days=2, end=MIDNIGHT)
ADDRESSES = PAGES | OPERATORS | {"field": f"/fields/{site_of(0)}", "machine": f"/machines/{device_of(2, 0)}"}
FIRST_PAINT = """() => new Promise(done => new PerformanceObserver(list => list.getEntriesByName('first-contentful-paint')
  .forEach(paint => done(paint.startTime))).observe({type: 'paint', buffered: true}))"""


@pytest.fixture(scope="module")
def warehouse_of_farm(applied: bigquery.Client) -> Iterator[Warehouse]:
    load(applied, FARM.registry)
    fill_days(applied, FARM, silent)
    yield Warehouse(applied, 600.0, lambda: NOW)
    empty(applied)


@pytest.fixture(scope="module")
def page(warehouse_of_farm: Warehouse) -> Iterator[Served]:
    with served_by(warehouse_of_farm, lambda: NOW) as running:
        yield running


@pytest.fixture(scope="module")
def summary() -> Iterator[dict[str, Any]]:
    measured: dict[str, Any] = {}
    yield measured
    OUTPUT.mkdir(parents=True, exist_ok=True)
    of = f"a local one, {FARM.summaries:,} summaries of {FARM.sites} sites; bytes are counted as BigQuery counts them"
    (OUTPUT / "summary.json").write_text(json.dumps({"warehouse": of, "pages": measured}, indent=1) + "\n")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_of_a_farm_says_what_it_read_and_nothing_is_read_again(
    chromium: Any, warehouse_of_farm: Warehouse, page: Served, summary: dict[str, Any], name: str, screen: str
) -> None:
    warehouse_of_farm.forget()
    started = perf_counter()
    tab, complaints = opened(chromium, page.url + ADDRESSES[name], screen)
    cold = perf_counter() - started
    painted = tab.evaluate(FIRST_PAINT)
    scanned = int(tab.locator("#read").get_attribute("value"))
    sent = tab.evaluate("performance.getEntriesByType('navigation')[0].transferSize")
    started = perf_counter()
    tab.reload()
    warm = perf_counter() - started
    again = tab.locator("footer").inner_text()
    tab.context.close()
    summary[f"{name} {screen}"] = {
        "seconds_cold": round(cold, 2),
        "seconds_warm": round(warm, 2),
        "first_paint_seconds": round(painted / 1000, 2),
        "bytes_over_the_wire": sent,
        "bytes_scanned": scanned,
        "console_errors": len(complaints),
    }
    assert scanned > 0
    assert "read nothing anew for this page" in again
    assert complaints == []
