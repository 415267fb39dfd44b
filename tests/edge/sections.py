"""The store's memory without a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge.store.section import Section, key_of


class Memory:
    """`rows` are those of the table `memory`: a stage gets its sections from them, and a commit writes them."""

    def __init__(self, rows: Mapping[str, bytes] | None = None) -> None:
        self.rows = dict(rows or {})

    def section(self, name: str) -> Section:
        return Section(name, {key_of(row, name): value for row, value in self.rows.items() if row == name or row.startswith(f"{name}/")})

    def commit(self, sections: Iterable[Section]) -> None:
        for section in sections:
            for row, value in section.changed.items():
                if value is None:
                    self.rows.pop(row, None)
                else:
                    self.rows[row] = value
            section.mark_committed()


def remember(section: str, values: Mapping[str, bytes | None]) -> Section:
    """A section with these changes."""
    changed = Section(section)
    for key, value in values.items():
        changed.set(key, value)
    return changed
