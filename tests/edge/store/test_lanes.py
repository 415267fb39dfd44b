"""What goes next: events, then what was cut lately by priority, then the oldest; found in an index, however much waits."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.store.connection import Connection, connect
from edge.store.lanes import LIVE_BATCHES
from edge.store.store import Lane, Store
from tests.edge.encoded import NOW, encoded


class Watched:
    """A connection that notes its questions."""

    def __init__(self, path: Path) -> None:
        self._connection, self.asked = connect(path), list[tuple[str, Sequence[Any]]]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        self.asked.append((sql, parameters))
        return self._connection.execute(sql, parameters)


@pytest.fixture
def connections() -> list[Watched]:
    return []


@pytest.fixture
def store(tmp_path: Path, connections: list[Watched]) -> Iterator[Store]:
    def watched(path: Path) -> Connection:
        connections.append(Watched(path))
        return connections[-1]

    store = Store(tmp_path / "store.db", "gw-1", 16 << 20, watched)
    yield store
    store.close()


def seqs(store: Store, limit: int, *lanes: Lane, skip: frozenset[int] = frozenset()) -> list[int]:
    return [batch.envelope.seq for batch in store.pending(limit, skip=skip, lanes=lanes or Lane)]


def test_behind_the_newest_the_oldest_goes_first_whatever_its_priority(store: Store) -> None:
    kinds = ["rejects", "events", "summaries", "heartbeats", "inferences"]
    store.cut([encoded(kind) for kind in kinds], NOW)
    store.cut([encoded("summaries") for _ in range(LIVE_BATCHES - 1)], NOW)
    store.cut([encoded("heartbeats")], NOW)
    live = range(6, 6 + LIVE_BATCHES - 1)
    assert seqs(store, 100) == [2, 6 + LIVE_BATCHES - 1, *live, 1, 3, 4, 5]
    assert seqs(store, 2, Lane.BACKLOG, skip=frozenset({1})) == [3, 4]
    assert seqs(store, 2, Lane.LIVE, skip=frozenset({6})) == [6 + LIVE_BATCHES - 1, 7]


def test_choosing_reads_ranges_of_one_index_and_sorts_nothing(store: Store, connections: list[Watched]) -> None:
    store.cut([encoded(kind) for kind in ["events", "summaries"] * 100], NOW)
    [connection] = connections
    connection.asked.clear()
    assert len(seqs(store, 1000)) == 200
    chosen = [each for each in connection.asked if "order by" in each[0]]
    assert chosen
    for sql, parameters in chosen:
        plan = [row[3] for row in connection.execute(f"explain query plan {sql}", parameters)]
        of_outbox = [step for step in plan if "outbox" in step]
        assert of_outbox
        assert all(step.startswith("SEARCH outbox USING COVERING INDEX outbox_order (priority") for step in of_outbox), plan
        assert not any("TEMP B-TREE" in step for step in plan), plan
