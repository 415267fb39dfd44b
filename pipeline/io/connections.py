"""Keeps one connection per table, shared by threads. One that failed takes nothing new, and is closed when its last append is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa


class AppendFuture(Protocol):
    """Waits for what came of one append: returns, or raises what the warehouse said."""

    def result(self, timeout: float) -> Any: ...


class Connection(Protocol):
    """Connects to one table: `connection.send(rows).result(60.0)`."""

    def send(self, rows: pa.RecordBatch) -> AppendFuture: ...

    def close(self) -> None: ...


@dataclass(eq=False)
class Link:
    """Holds a connection to a table, and how many appends on it have no answer yet."""

    table: str
    connection: Connection
    under_way: int = 0
    retired: bool = False


class Connections:
    """Gives connections: `link = connections.take(table, schema)`, and `connections.give_back(link)` when the answer is there."""

    def __init__(self, connect: Callable[[str, pa.Schema], Connection]) -> None:
        self._connect = connect
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()

    def take(self, table: str, schema: pa.Schema) -> Link:
        """Returns the table's connection, opened if there is none. Raises what opening raises."""
        with self._lock:
            if table not in self._links:
                self._links[table] = Link(table, self._connect(table, schema))
            link = self._links[table]
            link.under_way += 1
            return link

    def give_back(self, link: Link) -> None:
        with self._lock:
            link.under_way -= 1
            unused = link.retired and not link.under_way
        if unused:
            link.connection.close()

    def retire(self, link: Link) -> None:
        """Lets the next append open a new one. Appends of others that are under way on it keep it until they are answered."""
        with self._lock:
            link.retired = True
            if self._links.get(link.table) is link:
                del self._links[link.table]

    def close(self) -> None:
        """Closes all, at the end of the process."""
        with self._lock:
            links, self._links = list(self._links.values()), {}
        for link in links:
            link.connection.close()
