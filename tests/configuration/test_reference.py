"""The page of settings and the editors' schemas say what the declarations say, and all of it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import inspect

from configuration.__main__ import generated, main, stale
from configuration.editor_schema import editor_schema
from configuration.kinds import KINDS, Kind, recognised

ROOT = Path(__file__).parents[2]
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


def test_the_committed_files_are_those_of_the_declarations() -> None:
    assert stale(ROOT) == []


def test_a_stale_file_fails_the_check_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in generated():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    assert main(["--root", str(tmp_path)]) == 0
    page = tmp_path / "docs" / "configuration.md"
    page.write_text(page.read_text().replace("1883", "1884"))
    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert "docs/configuration.md is stale" in capsys.readouterr().err


def structs(wanted: Any) -> Iterator[inspect.StructType]:
    """Every struct within a type, itself too."""
    if isinstance(wanted, inspect.StructType):
        yield wanted
        for field in wanted.fields:
            yield from structs(field.type)
    for inner in (*getattr(wanted, "types", ()), getattr(wanted, "type", None), getattr(wanted, "item_type", None)):
        if inner is not None:
            yield from structs(inner)


@of_each_kind
def test_every_setting_has_a_row_with_a_meaning(kind: Kind) -> None:
    page = generated()[Path("docs/configuration.md")].split(f"\n## {kind.title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", page, re.MULTILINE)
    assert [name for name, meaning in rows if not meaning] == []
    leaves = {name for struct in structs(inspect.type_info(kind.load())) for name in struct.cls.__struct_fields__}
    sections = set(re.findall(r"### `\[+(?:\w+\.)?(\w+)(?:\.NAME)?\]", page))
    assert leaves - sections <= {name for name, _ in rows}


@of_each_kind
def test_the_example_fits_the_schema_and_names_it_where_editors_look(kind: Kind) -> None:
    text = (ROOT / kind.example).read_text()
    found = re.match(r"#:schema (\S+)\n", text)
    assert found is not None
    assert (ROOT / kind.example.parent / found[1]).resolve() == ROOT / kind.schema
    assert list(_validator(kind).iter_errors(_as_json(text))) == []


@of_each_kind
def test_a_schema_refuses_what_the_file_would_be_refused_for(kind: Kind) -> None:
    content = _as_json((ROOT / kind.example).read_text())
    assert [error.message for error in _validator(kind).iter_errors({**content, "odd": 1})] == [
        "Additional properties are not allowed ('odd' was unexpected)"
    ]


def test_a_variable_may_stand_where_the_schema_has_a_pattern() -> None:
    content = _as_json((ROOT / KINDS[0].example).read_text())
    content["gateway"]["id"] = "${HOSTNAME}"
    assert list(_validator(KINDS[0]).iter_errors(content)) == []
    content["gateway"]["id"] = "a b"
    assert len(list(_validator(KINDS[0]).iter_errors(content))) == 1


@of_each_kind
def test_a_kind_is_recognised_by_its_example_and_by_each_of_its_sections(kind: Kind) -> None:
    assert recognised(tomllib.loads((ROOT / kind.example).read_text())) == kind
    assert [recognised({section: {}}) for section in kind.sections] == [kind] * len(kind.sections)
    assert kind.sections <= set(kind.load().__struct_fields__)


def _validator(kind: Kind) -> Draft202012Validator:
    schema = json.loads(editor_schema(kind))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _as_json(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def numbers(schema: Any) -> Iterator[tuple[str, Any]]:
    """(name, its schema) of every whole number, and of every number of seconds."""
    if isinstance(schema, list):
        for inner in schema:
            yield from numbers(inner)
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            if inner.get("type") == "integer" or (inner.get("type") == "number" and re.search("seconds|interval|time|multiplier", name)):
                yield name, inner
        for inner in schema.values():
            yield from numbers(inner)


@of_each_kind
def test_no_number_is_so_large_that_it_is_believed_and_fails_later(kind: Kind) -> None:
    unbounded = {name for name, schema in numbers(json.loads(editor_schema(kind))) if {"minimum", "maximum"} - schema.keys()}
    assert unbounded == set()
