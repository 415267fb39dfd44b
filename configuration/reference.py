"""docs/configuration.md: every setting with its type, default, example, version and meaning, from its declaration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import NODEFAULT, inspect

from configuration.kinds import KINDS, Kind
from program.explain import between

_HEAD = """\
<!-- Generated from the declarations by `python -m configuration`. Do not edit. -->
# Configuration

Four kinds of TOML files. `${NAME}` in a text is replaced by the environment variable NAME; a relative path is relative to the
file's folder; a time without an offset is UTC. What a file does not know, it refuses. Names are letters, digits, dots, dashes and
underscores, at most 64.

`tinybeam check gateway.toml registry.toml notify.toml dash.toml` checks files by themselves and against each other.
For an editor there is a JSON Schema of each kind (`tinybeam check --schema gateway > gateway.schema.json`): a first line
`#:schema gateway.schema.json` lets it complete and check while one writes.
"""
_SINCE = "0.1.0"
_COLUMNS = "| setting | type | default | example | since | meaning |\n|---|---|---|---|---|---|\n"
_TYPES: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.DateTimeType: "date or time",
}


class _About(NamedTuple):
    """What a declaration says of a setting beside its type."""

    description: str = ""
    example: str = ""
    since: str = _SINCE

    def or_else(self, metadata: inspect.Metadata) -> _About:
        """Adds what a declaration further in says where those further out are silent."""
        schema, extra = metadata.extra_json_schema or {}, metadata.extra or {}
        example = "".join(f"`{_toml(example)}`" for example in schema.get("examples", ()))
        since = extra.get("since", _SINCE) if self.since == _SINCE else self.since
        return _About(self.description or schema.get("description", ""), self.example or example, since)


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(section for kind in KINDS for section in _file(kind))


def _file(kind: Kind) -> Iterator[str]:
    yield f"\n## {kind.title}\n"
    yield from _inner(inspect.type_info(kind.load()), "")


def _inner(struct: inspect.Type, where: str) -> Iterator[str]:
    """The sections within a struct: tables, lists of tables."""
    assert isinstance(struct, inspect.StructType)
    for field in struct.fields:
        name = f"{where}.{field.encode_name}".lstrip(".")
        about, wanted = _unwrapped(field.type)
        if isinstance(wanted, inspect.VarTupleType) and (tables := _tables(wanted.item_type)):
            heading = f"[[{name}]]"
        elif isinstance(wanted, inspect.DictType):
            tables, heading = _tables(wanted.value_type), f"[{name}.NAME]"
        else:
            tables, heading = _tables(wanted), f"[{name}]"
        for table in tables:
            yield from _section(table, heading, about)
            yield from _inner(table, name)


def _section(table: inspect.StructType, heading: str, about: _About) -> Iterator[str]:
    """One table of settings; a kind of several says by which setting it is told apart."""
    rows = [_row(field) for field in table.fields if not _is_section(field.type)]
    tag = _toml(table.tag)
    if table.tag_field:
        heading += f" {table.tag_field} = {tag}"
        rows.insert(0, f"| `{table.tag_field}` | `{tag}` | required |  | {about.since} | Tells the kinds apart |")
    summary = cleandoc(table.cls.__doc__ or "").partition("\n\n")[0]
    sentences = (sentence.rstrip(".") + "." for sentence in (about.description, summary) if sentence)
    yield f"\n### `{heading}`\n\n{chr(10).join(sentences)}\n\n{_COLUMNS}" + "".join(f"{row}\n" for row in rows)


def _tables(wanted: inspect.Type) -> list[inspect.StructType]:
    """The structs that a type may be."""
    wanted = _unwrapped(wanted)[1]
    members = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    return [member for member in members if isinstance(member, inspect.StructType)]


def _is_section(wanted: inspect.Type) -> bool:
    wanted = _unwrapped(wanted)[1]
    if isinstance(wanted, inspect.DictType):
        return bool(_tables(wanted.value_type))
    return bool(_tables(wanted.item_type if isinstance(wanted, inspect.VarTupleType) else wanted))


def _row(field: inspect.Field) -> str:
    about = _unwrapped(field.type)[0]
    cells = (f"`{field.encode_name}`", _type(field.type), _default(field), about.example, about.since, about.description)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is NODEFAULT else field.default
    return "none" if value is None else f"`{_toml(value)}`"


def _type(wanted: inspect.Type) -> str:
    """In words, with its bounds."""
    wanted = _unwrapped(wanted)[1]
    if isinstance(wanted, inspect.EnumType):
        return ", ".join(f"`{member.value}`" for member in wanted.cls)
    if isinstance(wanted, inspect.LiteralType):
        return ", ".join(f"`{_toml(value)}`" for value in wanted.values)
    if isinstance(wanted, inspect.VarTupleType):
        return f"list of {_type(wanted.item_type)}"
    if isinstance(wanted, inspect.DictType):
        return f"table of {_type(wanted.key_type)} = {_type(wanted.value_type)}"
    if isinstance(wanted, inspect.CustomType):
        return "path" if wanted.cls is Path else "text, never shown"
    bounds = between(wanted) if isinstance(wanted, inspect.IntType | inspect.FloatType) else ""
    return _TYPES[type(wanted)] + (f", {bounds}" if bounds else "")


def _unwrapped(wanted: inspect.Type) -> tuple[_About, inspect.Type]:
    """What the declaration says of a type, and the type itself, without what may be absent."""
    about = _About()
    while isinstance(wanted, inspect.Metadata | inspect.UnionType):
        if isinstance(wanted, inspect.Metadata):
            about = about.or_else(wanted)
            wanted = wanted.type
            continue
        members = [member for member in wanted.types if not isinstance(member, inspect.NoneType)]
        if len(members) > 1:
            return about, inspect.UnionType(tuple(members))
        wanted = members[0]
    return about, wanted


def _toml(value: Any) -> str:
    """As it is written in TOML, on one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_toml(inner)}' for name, inner in value.items())} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value.value if isinstance(value, Enum) else str(value) if isinstance(value, str | Path) else value)
