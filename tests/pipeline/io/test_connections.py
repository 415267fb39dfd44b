"""A connection is shared by threads: what fails for one does not break what others have under way."""

from __future__ import annotations

import concurrent.futures

import pyarrow as pa

from pipeline.io.connections import Connections


class Counted:
    """A connection that says whether it is closed."""

    closed = False

    def send(self, rows: pa.RecordBatch) -> concurrent.futures.Future[None]:
        return concurrent.futures.Future()

    def close(self) -> None:
        self.closed = True


SCHEMA = pa.schema([])


def test_one_that_failed_for_one_is_closed_when_the_answers_of_all_are_there() -> None:
    opened: list[Counted] = []

    def connect(table: str, schema: pa.Schema) -> Counted:
        opened.append(Counted())
        return opened[-1]

    connections = Connections(connect)
    mine, others = connections.take("t", SCHEMA), connections.take("t", SCHEMA)
    connections.retire(mine)
    connections.give_back(mine)
    anew = connections.take("t", SCHEMA)
    assert ([one.closed for one in opened], anew.connection is opened[1]) == ([False, False], True)
    connections.give_back(others)
    assert [one.closed for one in opened] == [True, False]


def test_one_that_fails_late_leaves_its_successor_alone() -> None:
    connections = Connections(lambda table, schema: Counted())
    first, second = connections.take("t", SCHEMA), connections.take("t", SCHEMA)
    connections.retire(first)
    anew = connections.take("t", SCHEMA)
    connections.retire(second)
    assert connections.take("t", SCHEMA) is anew
