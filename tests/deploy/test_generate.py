"""What Terraform reads of tables, views and functions is what schemas and sql say, and can be made level by level."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.generate import objects, tables
from deploy.generate.__main__ import GENERATED, files
from deploy.generate.types import data_type
from schemas.arrow import table_columns
from schemas.records import TABLES
from schemas.warehouse import StoredType, differences
from sql import access
from sql.scripts import Script, scripts
from tests.deploy.terraform import every_module

ROOT = Path(__file__).parents[2]
DERIVED = {script.name: script for script in scripts("functions", "views")}
DESCRIBED = {one["name"]: one for one in objects.described()}


def test_the_files_are_those_of_the_records_and_the_sql() -> None:
    assert GENERATED.stale(ROOT) == []


def test_a_file_that_is_changed_missing_or_of_nothing_is_found(tmp_path: Path) -> None:
    GENERATED.write(tmp_path)
    assert GENERATED.stale(tmp_path) == []
    one, other = sorted(files())[:2]
    (tmp_path / one).write_text("{}")
    (tmp_path / other).unlink()
    (tmp_path / one).with_name("gone.json").write_text("{}")
    assert {path.name for path in GENERATED.stale(tmp_path)} == {one.name, other.name, "gone.json"}
    GENERATED.write(tmp_path)
    assert GENERATED.stale(tmp_path) == []


def test_a_table_is_what_its_record_says() -> None:
    described = {one["name"]: one for one in tables.described()}
    for record, table in TABLES.items():
        there = {field["name"]: StoredType(field["type"], field["mode"] == "REPEATED") for field in described[table.name]["schema"]}
        assert list(differences(record, there)) == []
        required = {field["name"] for field in described[table.name]["schema"] if field["mode"] == "REQUIRED"}
        assert required == {column.name for column in table_columns(record) if not column.nullable and not column.repeated}


def written(one: dict[str, Any], script: Script) -> str:
    """The statement that makes the object, put together again from what Terraform is given."""
    arguments = ", ".join(f"{argument['name']} {sql(argument['type'])}" for argument in one["arguments"])
    brackets = f"({arguments})" if one["kind"].endswith("function") else ""
    returns = f" returns {sql(one['returns'])}" if one["returns"] else ""
    text = one["text"].replace("{{tables}}", "tinybeam.").replace("{{views}}", "tinybeam.")
    body = f"({text})" if one["kind"] == "function" else text
    kind = one["kind"].replace("_", " ")
    return f'create or replace {kind} tinybeam.{one["name"]}{brackets}{returns} options (description = "{one["description"]}") as {body};'


def sql(type_: dict[str, Any]) -> str:
    if type_["typeKind"] == "ARRAY":
        return f"array<{sql(type_['arrayElementType'])}>"
    if type_["typeKind"] == "STRUCT":
        fields = [field["name"] + " " + sql(field["type"]) for field in type_["structType"]["fields"]]
        return f"struct<{', '.join(fields)}>"
    return str(type_["typeKind"]).lower()


@pytest.mark.parametrize("name", DERIVED)
def test_an_object_says_all_that_its_statement_says(name: str) -> None:
    bare = re.sub(r"\s+", "", DERIVED[name].text[DERIVED[name].text.index("create or replace") :])
    assert re.sub(r"\s+", "", written(DESCRIBED[name], DERIVED[name])) == bare


def test_each_object_reads_what_is_made_before_it() -> None:
    for name, one in DESCRIBED.items():
        for reads in re.findall(r"\{\{views\}\}(\w+)", one["text"]):
            assert DESCRIBED[reads]["level"] < one["level"], f"{name} reads {reads}"


def test_tables_are_named_by_the_tables_dataset_and_views_by_theirs() -> None:
    named = {
        kind: {found for one in DESCRIBED.values() for found in re.findall(rf"{{{{{kind}}}}}(\w+)", one["text"])}
        for kind in ("tables", "views")
    }
    assert named["tables"] <= {table.name for table in TABLES.values()}
    assert named["views"] <= DERIVED.keys()
    assert not any("tinybeam." in one["text"] for one in DESCRIBED.values())


def test_there_is_a_module_for_each_level_after_the_one_before() -> None:
    calls = {name: body for name, body in every_module()["modules/warehouse"].calls.items() if name.startswith("level_")}
    levels = sorted({one["level"] for one in DESCRIBED.values()})
    assert sorted(calls) == [f"level_{level}" for level in levels]
    for level in levels:
        assert f"object.level == {level}}}" in calls[f"level_{level}"]["objects"]
        before = f"module.level_{level - 1}" if level else "google_bigquery_table.facts"
        assert calls[f"level_{level}"]["depends_on"] == [f"${{{before}}}"]


def test_the_same_functions_may_read_the_tables_as_after_sql_apply() -> None:
    by_apply = {name for name, script in DERIVED.items() if script.folder == "functions" and access._reads_tables(script)}
    by_terraform = {name for name, one in DESCRIBED.items() if one["kind"].endswith("function") and "{{tables}}" in one["text"]}
    assert by_apply == by_terraform
    assert len(by_apply) > 5


def test_types_are_read_however_deep() -> None:
    assert data_type("array<struct<a string, b array<int64>>>") == {
        "typeKind": "ARRAY",
        "arrayElementType": {
            "typeKind": "STRUCT",
            "structType": {
                "fields": [
                    {"name": "a", "type": {"typeKind": "STRING"}},
                    {"name": "b", "type": {"typeKind": "ARRAY", "arrayElementType": {"typeKind": "INT64"}}},
                ]
            },
        },
    }
    with pytest.raises(ValueError, match="'geography'"):
        data_type("geography")


@pytest.mark.parametrize(
    "text", ["create view tinybeam.x as select 1;", 'create or replace view tinybeam.x\noptions (description = "x")\nas\nselect 1']
)
def test_a_statement_of_another_form_is_refused(text: str) -> None:
    with pytest.raises((objects.UnreadableError, ValueError)):
        objects.description(Script("views", "x", text))


def test_generated_files_end_with_a_line_and_are_json() -> None:
    for path in files():
        text = (ROOT / path).read_text()
        assert text.endswith("}\n")
        described = json.loads(text)
        assert described.get("name", described.get("uid")) in (path.stem, f"tinybeam-{path.stem}")
