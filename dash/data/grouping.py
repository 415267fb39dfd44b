"""Groups the rows of an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from dash.data.warehouse import Row


def grouped(rows: Iterable[Row], name: str) -> Mapping[Any, list[Row]]:
    """Returns the rows by their value of a column, in the order in which they came."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return groups
