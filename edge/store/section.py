"""Keeps what a stage remembers over a restart: a named section of the store's memory. No I/O: the store reads it, and a cut commits it.

A stage calls `get` and `set`; the gateway passes the section to the cut that the change belongs to, and the store calls `mark_committed`.
A value is a row `section/key` of the table `memory`; under the empty key it is the row `section`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TypeVar

from program import logs

Value = TypeVar("Value")

_log = logs.get(__name__)
_EMPTY: Mapping[str, bytes] = MappingProxyType({})


class Section:
    """Holds values by key, and knows which of them are not in the store yet.

    Usage: `section.set(key, value)`, then `store.cut(batches, now, sections=[section])`.
    """

    def __init__(self, name: str, values: Mapping[str, bytes] = _EMPTY) -> None:
        self.name = name
        self._values = dict(values)
        self._changed: dict[str, bytes | None] = {}
        self.bytes = sum(len(key) + len(value) for key, value in self._values.items())
        """Keys and values, in the store or not."""

    def get(self, key: str = "") -> bytes | None:
        """Returns the value last set, in the store or not."""
        return self._values.get(key)

    def set(self, key: str, value: bytes | None) -> None:
        """Sets a value; None deletes it."""
        before = self._values.pop(key, None)
        if before is not None:
            self.bytes -= len(key) + len(before)
        if value is not None:
            self.bytes += len(key) + len(value)
            self._values[key] = value
        self._changed[key] = value

    def forget(self, devices: Collection[str]) -> None:
        """Deletes what is kept of these devices, whose names keys begin with: `device`, or `device/...`."""
        for key in [key for key in self._values if key.partition("/")[0] in devices]:
            self.set(key, None)

    def parsed(self, parse: Callable[[bytes], Value]) -> dict[str, Value]:
        """Returns what `parse` makes of each value. One at which it fails is deleted: it has rotted in a store without seals."""
        found = dict[str, Value]()
        for key, value in list(self._values.items()):
            try:
                found[key] = parse(value)
            except Exception:  # noqa: BLE001 - whatever rot does to it
                _log.error("what was remembered as %s/%s cannot be read any more, and is forgotten", self.name, key)
                self.set(key, None)
        return found

    def items(self) -> Mapping[str, bytes]:
        """Returns all values by key."""
        return MappingProxyType(self._values)

    @property
    def changed(self) -> Mapping[str, bytes | None]:
        """Returns the rows of the table `memory` that a cut has to write; None deletes."""
        return {row_name(self.name, key): value for key, value in self._changed.items()}

    def mark_committed(self) -> None:
        """Forgets what changed, for it is in the store."""
        self._changed.clear()


Sections = Callable[[str], Section]
"""Gives a stage its section by name: `Store.section`; `Section` itself where nothing is remembered."""


def row_name(section: str, key: str) -> str:
    return f"{section}/{key}" if key else section


def key_of(row: str, section: str) -> str:
    """Returns the key of a row of the section."""
    return row.removeprefix(section).removeprefix("/")
