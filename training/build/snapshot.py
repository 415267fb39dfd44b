"""Says of which answer of the warehouse a model was made, so that it can be traced to its rows, and made of them again. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from program.version import version as code_version

_HELD_OUT_OF = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Says what the warehouse was asked: the query by the hash of its text, and for which time."""

    query: str
    query_sha256: str
    from_time: datetime
    until: datetime

    def teaching(self, rows_sha256: str) -> dict[str, Any]:
        """Returns what a manifest says of the rows that made its model."""
        return {
            "source": "warehouse",
            "query": self.query,
            "query_sha256": self.query_sha256,
            "from_time": self.from_time.isoformat(),
            "until": self.until.isoformat(),
            "rows_sha256": rows_sha256,
            "code": code_version(),
        }


def rows_sha256(rows: Iterable[Any]) -> str:
    """Returns the hash of rows, hexadecimal. A row is a dataclass with slots, whose fields are those of the query, in their order."""
    lines = (json.dumps([_plain(getattr(row, name)) for name in row.__slots__]) for row in rows)
    return sha256("\n".join(lines).encode()).hexdigest()


def held_out(names: Sequence[str]) -> frozenset[str]:
    """Returns every third of the names in the order of their hashes: nobody chooses them, and the same are held out next time."""
    ranked = sorted(names, key=lambda name: sha256(name.encode()).digest())
    return frozenset(ranked[_HELD_OUT_OF - 1 :: _HELD_OUT_OF])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, datetime) else value
