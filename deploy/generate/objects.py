"""Describes each view and function as BigQuery's API does, and at which level it stands: it reads only what stands below.

A text names tables as `{{tables}}NAME` and views and functions as `{{views}}NAME`: Terraform puts dataset and prefix there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deploy.generate.types import data_type, named_types
from schemas.records import TABLES
from schemas.warehouse import DATASET
from sql.scripts import Script, in_order, scripts

_STATEMENT = re.compile(
    rf"create or replace (?P<kind>table function|function|materialized view|view) {DATASET}\.\w+"
    r"(?:\((?P<arguments>.*?)\)\n)?\s*(?:returns (?P<returns>[^\n]+)\s+)?"
    r"options \(description = \"(?P<description>[^\"]*)\"\)\s+as\b(?P<body>.*);",
    re.DOTALL,
)
_NAME = re.compile(rf"(?<![.\w]){DATASET}\.(\w+)\b(?!\.)")
_TABLES = frozenset(table.name for table in TABLES.values())


class UnreadableError(ValueError):
    """A file is not a statement as the others are; the text names it."""


def described() -> Iterator[dict[str, Any]]:
    """Yields every view and function, each after what it reads. Raises UnreadableError."""
    derived = in_order(scripts("functions", "views"))
    heights = levels(derived)
    for script in derived:
        yield {"name": script.name, "level": heights[script.name], **description(script)}


def levels(derived: Iterable[Script]) -> Mapping[str, int]:
    """Returns how many others stand below each, of scripts that are in order."""
    found: dict[str, int] = {}
    for script in derived:
        found[script.name] = max((found[name] + 1 for name in script.references if name in found), default=0)
    return found


def description(script: Script) -> dict[str, Any]:
    """Returns kind, description, arguments, type of the result and text of one. Raises UnreadableError."""
    found = _STATEMENT.fullmatch(_without_header(script))
    if not found:
        raise UnreadableError(f'{script.path} is not `create or replace ... options (description = "...") as ...;`')
    return {
        "kind": found["kind"].replace(" ", "_"),
        "description": found["description"],
        "arguments": [{"name": name, "type": data_type(words)} for name, words in named_types(found["arguments"] or "")],
        "returns": data_type(found["returns"]) if found["returns"] else None,
        "text": _placed(_body(found["kind"], found["body"].strip())),
    }


def _without_header(script: Script) -> str:
    return script.text[script.text.index("create or replace") :].strip()


def _body(kind: str, body: str) -> str:
    """Returns the text as the API wants it: the expression of a function without the brackets around it."""
    return body.removeprefix("(").removesuffix(")").strip() if kind == "function" else body


def _placed(text: str) -> str:
    return _NAME.sub(lambda found: f"{{{{{'tables' if found[1] in _TABLES else 'views'}}}}}{found[1]}", text)
