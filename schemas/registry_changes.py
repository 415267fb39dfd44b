"""Says what changes between two registries: which sites, devices, gateways and rules are added, changed and removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.envelope import from_micros
from schemas.registry_tables import RECORDS, Entries

NAMED = 10
"""So many are named of each change; of more, the number is."""


def changes(before: Entries, after: Entries) -> Iterator[str]:
    """Yields a sentence for each section in which anything changes: `devices: 1 added (soil-02), 1 changed (soil-01)`."""
    for section in RECORDS:
        old, new = _by_name(before[section]), _by_name(after[section])
        added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
        changed = sorted(name for name in new.keys() & old.keys() if new[name] != old[name])
        parts = [_part(names, what) for names, what in ((added, "added"), (changed, "changed"), (removed, "removed")) if names]
        if parts:
            yield f"{section}: {', '.join(parts)}"


def _by_name(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Returns rows by name and time; a table that nothing keeps sound may hold two of one."""
    named: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        named.setdefault(_name(row), []).append(row)
    return {name: sorted(of_name, key=str) for name, of_name in named.items()}


def _name(row: dict[str, Any]) -> str:
    identity = str(next(iter(row.values())))
    begin = row.get("valid_from")
    return f"{identity} from {from_micros(begin):%Y-%m-%d %H:%M}" if begin else identity


def _part(names: Sequence[str], what: str) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)} {what} ({', '.join(names[:NAMED])}{more})"
