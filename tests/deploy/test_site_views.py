"""What the analysts of one site see: names and columns are there, rows are of that site, positions are nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlfluff
from google.cloud import bigquery

from lab.acts.analyst import empty
from tests.attack import Attack
from tests.deploy.terraform import FOLDER, bare, every_module
from tests.walk import blocks

SITE = every_module()["modules/site"]
VIEWS = {bare(name) for name in re.findall(r'"\w+"', str(SITE.local["views"]))}
PAGE = Path(__file__).parents[2] / "docs/how-to/who-may-see-what.md"
POSITION = {"latitude", "longitude"}
FARM = """
insert into tinybeam.sites_v1 (site_id, name, latitude, longitude, valid_from)
values ('north-field', 'North', 51.5, 7.5, timestamp '2026-01-01'), ('south-field', 'South', 48.1, 11.6, timestamp '2026-01-01');
insert into tinybeam.devices_v1 (device_id, kind, site_id, valid_from)
values ('soil-1', 'soil', 'north-field', timestamp '2026-01-01'), ('soil-2', 'soil', 'south-field', timestamp '2026-01-01');
"""


@pytest.fixture
def farm(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    for statement in filter(str.strip, FARM.split(";")):
        applied.query(statement).result()
    yield applied
    empty(applied)


def query(view: str, site: str) -> str:
    """What Terraform makes of the module's template."""
    values = {"hidden": bare(SITE.local["hidden"].get(view, "")), "view": f"tinybeam.{view}", "site": site}
    text = (FOLDER / "modules/site/view.sql").read_text()
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)


def test_each_view_that_has_a_site_is_there_and_no_other(farm: bigquery.Client) -> None:
    views = [table.table_id for table in farm.list_tables("tinybeam") if table.table_type == "VIEW"]
    having_site = {name for name in views if "site_id" in _columns(farm, f"select * from tinybeam.{name}")}
    assert having_site == VIEWS


def _columns(client: bigquery.Client, text: str) -> set[str]:
    return {field.name for field in client.query(f"select * from ({text}) limit 0").result().schema}


def test_an_analyst_of_a_site_sees_its_rows_and_no_position(farm: bigquery.Client, attack: Attack) -> None:
    columns = {name: _columns(farm, query(name, "north-field")) for name in sorted(VIEWS)}
    rows = {name: list(farm.query(query(name, "north-field")).result()) for name in ("sites", "devices")}
    others = [row for found in rows.values() for row in found if row["site_id"] != "north-field"]
    positions = [name for name, found in columns.items() if found & POSITION]
    shown = len(POSITION & _columns(farm, "select * from tinybeam.sites"))
    unfiltered = list(farm.query("select site_id from tinybeam.sites").result())
    attack(
        "another-sites-rows",
        attacker="reader",
        attempt="is an analyst of one site, and asks each of its views for another site's rows and for positions",
        outcome="rows of the site alone, and no column that says where it lies",
        attempts=len(columns) + len(rows),
        accepted=len(others) + len(positions),
        control=f"the view of all sites gives {len(unfiltered)} sites and {shown} columns of a position",
    )
    assert [len(found) for found in rows.values()] == [1, 1]
    assert len(unfiltered) == 2


def test_rules_on_tables_are_for_each_table_with_a_site_and_let_the_pipeline_see_all(farm: bigquery.Client) -> None:
    script = next(block.text for block in blocks(PAGE, "my-project") if block.title == "row_access.sh")
    [tables] = re.findall(r"^for table in (.*); do$", script, re.MULTILINE)
    files = sorted((FOLDER / "modules/warehouse/tables").glob("*.json"))
    assert tables.split() == [file.stem for file in files if '"site_id"' in file.read_text()]
    [statements] = re.findall(r'query --use_legacy_sql=false "(.*?)"', script, re.DOTALL)
    linted = sqlfluff.lint(statements.replace("$table", "sites_v1"), dialect="bigquery", rules=["LT01"])
    assert [each["description"] for each in linted if each["code"] == "PRS"] == []
    rules = re.findall(r"grant to \((.*?)\)\s+filter using \((.*?)\);", statements)
    assert [members.startswith("'serviceAccount:tinybeam-pipeline@") for members, _ in rules] == [True, False]
    questions = [f"select site_id from tinybeam.sites_v1 where {rule} order by 1" for _, rule in rules]
    seen = [[row["site_id"] for row in farm.query(question).result()] for question in questions]
    assert seen == [["north-field", "south-field"], ["north-field"]]
