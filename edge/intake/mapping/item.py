"""Splits a document into items, each of which becomes a reading, and finds in an item what its message says for all. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from edge.reading import PayloadError
from edge.settings.paths import MISSING, Path

MAX_ITEMS = 10_000


class Item(NamedTuple):
    """Holds one reading as it stands in a document; `key` is the name under which it stands there, if it has one."""

    content: Any
    document: Any
    key: str | None = None

    def find(self, path: Path) -> Any:
        """Returns what the path leads to in the item, else in the message around it, else MISSING."""
        found = path.find(self.content)
        return path.find(self.document) if found is MISSING and self.document is not self.content else found


def items(document: Any, path: Path | None, *, keyed: bool = False) -> Iterator[Item]:
    """Yields the items at the path; `keyed`: of a table, each of its values. Raises PayloadError."""
    found = document if path is None else path.find(document)
    if found is MISSING:
        raise PayloadError("wrong_type", f"the message has nothing at {path.name if path else ''!r}")
    if isinstance(found, list) and len(found) > MAX_ITEMS:
        raise PayloadError("oversized", f"{len(found)} readings in one message, more than {MAX_ITEMS}")
    for count, item in enumerate(_items(found, document, keyed=keyed), 1):
        if count > MAX_ITEMS:
            raise PayloadError("oversized", f"more than {MAX_ITEMS} readings in one message; the first are read")
        yield item


def _items(found: Any, document: Any, *, keyed: bool) -> Iterator[Item]:
    if keyed and isinstance(found, dict):
        for key, each in found.items():
            for content in each if isinstance(each, list) else [each]:
                yield Item(content, document, str(key))
    elif isinstance(found, list):
        for content in found:
            yield Item(content, document)
    else:
        yield Item(found, document)
