"""Reads types as GoogleSQL writes them into what BigQuery's API calls a data type: `array<int64>` becomes an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_SCALARS = {"string", "int64", "float64", "bool", "timestamp", "date", "bytes"}


def data_type(words: str) -> dict[str, Any]:
    """Returns the API's StandardSqlDataType. Raises ValueError for a type that none of ours has."""
    words = words.strip()
    if inner := _inside("array", words):
        return {"typeKind": "ARRAY", "arrayElementType": data_type(inner)}
    if inner := _inside("struct", words):
        return {
            "typeKind": "STRUCT",
            "structType": {"fields": [{"name": name, "type": data_type(type_)} for name, type_ in named_types(inner)]},
        }
    if words not in _SCALARS:
        raise ValueError(f"{words!r} is no type that is known here")
    return {"typeKind": words.upper()}


def named_types(words: str) -> Iterator[tuple[str, str]]:
    """Yields name and type of each argument or field."""
    for part in _parts(words):
        name, _, type_ = part.strip().partition(" ")
        yield name.strip("`"), type_.strip()


def _inside(kind: str, words: str) -> str:
    return words[len(kind) + 1 : -1] if words.startswith(f"{kind}<") and words.endswith(">") else ""


def _parts(words: str) -> Iterator[str]:
    """Yields what stands between commas, but for those within `<` and `>`."""
    start = 0
    for at, letter in enumerate(words):
        if letter == "," and words.count("<", 0, at) == words.count(">", 0, at):
            yield words[start:at]
            start = at + 1
    if words[start:].strip():
        yield words[start:]
