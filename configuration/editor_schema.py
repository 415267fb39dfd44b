"""The JSON Schema of a kind of file, by which an editor completes and checks it. Relations between settings are not in it."""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import Any

import msgspec

from configuration.kinds import Kind

_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"


def editor_schema(kind: Kind) -> str:
    """JSON, ending with a line feed."""
    schema = msgspec.json.schema(kind.load(), schema_hook=_text)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind.title}
    return json.dumps(head | _for_toml(schema), indent=2, default=str) + "\n"


def _text(_: type) -> dict[str, Any]:
    """A path or a secret."""
    return {"type": "string"}


def _for_toml(schema: Any) -> Any:
    """A text may hold a variable wherever it has a pattern, and a time is TOML's own, not a text in a format."""
    if isinstance(schema, list):
        return [_for_toml(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _for_toml(value) for name, value in schema.items()}
    if isinstance(inner.get("pattern"), str):
        inner["pattern"] = f"{inner['pattern']}|{_VARIABLE}"
    if isinstance(inner.get("description"), str):
        inner["description"] = cleandoc(inner["description"])  # a docstring, which Python indents until 3.13
    return {name: value for name, value in inner.items() if name != "format"}
