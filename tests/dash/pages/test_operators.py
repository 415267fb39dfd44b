"""The operators' pages are whole pages: with data, without any, and of a warehouse that is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from dash.data.viewer import Viewer
from dash.data.warehouse import Questions, Warehouse
from dash.pages import cost, fleet, models, trust
from dash.pages.page import Asking, Page
from dash.server import files
from dash.server.head import head
from dash.server.rendering import rendered
from dash.server.sign_in import Person
from tests.dash.data.farm import asked_by, rows
from tests.sql.test_cases import filled

NOW = datetime(2026, 5, 1, 13, tzinfo=UTC)
PAGES = (fleet.PAGE, trust.PAGE, models.PAGE, cost.PAGE)


@pytest.fixture(scope="module")
def farm(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    with filled(applied, rows("north"), NOW):
        yield applied


class Nothing:
    """A warehouse that answers, and holds nothing."""

    def query_and_wait(self, text: str, **_: object) -> EmptyRows:
        return EmptyRows()


class EmptyRows(list[dict[str, object]]):
    total_bytes_processed = 0


def shown(page: Page, questions: Questions, **choice: str) -> str:
    asking = Asking(questions, NOW, {}, choice, may_answer=False)
    return rendered(page.template, page.content(asking) | head(questions, NOW, page, Person(None, Viewer(), answers=False)))


def test_the_fleet_says_who_is_silent_and_what_the_store_lacks(farm: bigquery.Client) -> None:
    page = shown(fleet.PAGE, asked_by(farm))
    assert "1 of 1 gateway to look at" in page
    assert "It does not run soil/4: it failed its trial." in page
    assert "vibration release 3" in page


def test_trust_tells_of_gaps_lateness_and_rejects_with_their_cure(farm: bigquery.Client) -> None:
    page = shown(trust.PAGE, asked_by(farm), days="1")
    assert "2 batches are missing, 1 message was set aside" in page
    assert "50 % arrived, 2 batches missing" in page
    assert "tinybeam rejects replay --reason malformed_json" in page


def test_models_show_the_roll_out_and_compare_only_when_asked(farm: bigquery.Client) -> None:
    page = shown(models.PAGE, asked_by(farm), days="1")
    assert "Release 4 was refused by gw-north: it failed its trial." in page
    assert "Release 3: waits at 10 % of the gateways" in page
    assert "Two days of pump-north" in page
    assert "100 % worn of 12" in page
    assert "about 1 second of a processor" in page
    assert "Compare them" in page
    assert "Compared with" in shown(models.PAGE, asked_by(farm), days="1", compare="1")


def test_the_cost_is_named_with_its_list(farm: bigquery.Client) -> None:
    page = shown(cost.PAGE, asked_by(farm), days="1")
    assert "a month, at the rate of these days" in page
    assert "North field" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_a_page_without_data_says_so(page: Page) -> None:
    told = shown(page, Warehouse(Nothing(), 0.0).asked_by(Viewer()))
    assert "all heard" not in told
    assert "No batch is missing" not in told
    assert f"<title>{page.title}" in told


def test_a_file_has_a_name(farm: bigquery.Client) -> None:
    asking = Asking(asked_by(farm), NOW, {"name": "field", "subject": "north"}, {"days": "1"}, may_answer=False)
    answer = files.answered(asking)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tinybeam-field.csv"'
