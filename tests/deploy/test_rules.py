"""Rules on tables: each hides what it is to hide, and takes no row from the accounts that everything rests on."""

from __future__ import annotations

import json
import re

from tests.deploy.terraform import FARM, FOLDER, bare, every_module
from tests.deploy.test_site_views import POSITION

MODULES = every_module()
RULES, POSITIONS, WAREHOUSE = (MODULES[f"modules/{name}"] for name in ("rules", "positions", "warehouse"))


def test_a_site_s_readers_see_its_rows_and_the_accounts_see_all_before_anybody_is_kept_out() -> None:
    everywhere, of_site = (RULES.resources[f"google_bigquery_row_access_policy.{name}"] for name in ("all_sites", "site"))
    assert [bare(each["filter_predicate"]) for each in (everywhere, of_site)] == ["true", "site_id = '${each.value.site}'"]
    assert everywhere["grantees"] == "${var.everywhere}"
    assert of_site["depends_on"] == ["${google_bigquery_row_access_policy.all_sites}"]
    grantees = MODULES[FARM].local["everywhere"]
    assert set(re.findall(r"module\.accounts\.(\w+)\.member", grantees)) == {"pipeline", "launcher", "analyst"}


def test_positions_are_hidden_where_they_are_and_nothing_else_is() -> None:
    hidden = {bare(name) for name in WAREHOUSE.local["positions"]}
    files = (FOLDER / "modules/warehouse/tables").glob("*.json")
    found = {file.stem: hidden & {column["name"] for column in json.loads(file.read_text())["schema"]} for file in files}
    assert {table: columns for table, columns in found.items() if columns} == {"sites_v1": POSITION}
    masked = POSITIONS.resources["google_bigquery_datapolicy_data_policy.masked"]
    assert bare(masked["data_masking_policy"][0]["predefined_expression"]) == "ALWAYS_NULL"
