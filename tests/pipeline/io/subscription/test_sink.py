"""A message is acknowledged when its rows are written, never before, and not at all where they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from pipeline.elements import Delivery, RejectedRows, TableRows, UnwrittenRows
from pipeline.facts import rows_of
from pipeline.io.subscription.sink import Write
from pipeline.repeats import Repeats, pack_repeats
from schemas.records import Site
from tests.pipeline.bodies import ALWAYS
from tests.pipeline.memory import still

ROWS = rows_of(Site, [{"site_id": "north", "name": "North", "valid_from": ALWAYS}])


class Warehouse:
    """Writes into a list, refuses what it is told to, or fails; acknowledgements go to the same list."""

    def __init__(self, refused: Sequence[str] = (), *, fails: bool = False) -> None:
        self.happened: list[str] = []
        self._refused, self._fails = refused, fails

    def append(self, rows: Mapping[str, Sequence[pa.RecordBatch]], on_late: Callable[[str], None]) -> list[UnwrittenRows]:
        if self._fails:
            raise RuntimeError("crash")
        self.happened += [f"write {table}" for table in rows]
        return [UnwrittenRows(table, RejectedRows("warehouse_refused", "bad", rows[table][0])) for table in self._refused if table in rows]

    def acknowledge(self, ack_ids: Iterable[str]) -> None:
        self.happened += [f"acknowledge {ack_id}" for ack_id in ack_ids]


def write(warehouse: Warehouse, *deliveries: Delivery) -> list[Any]:
    """Writes a bundle; returns what the step gives."""
    step = Write(lambda: warehouse, lambda: warehouse, still)  # type: ignore[arg-type, return-value]
    step.start_bundle()
    given = [news for delivery in deliveries for news in step.process(delivery)]
    return given + [windowed.value for windowed in step.finish_bundle()]


def delivery(*tables: str, ack_id: str, seq: int = 1) -> Delivery:
    return Delivery(tuple(TableRows(table, ROWS.rows) for table in tables), (ack_id,), (("gw1", 7, seq),))


def test_all_rows_of_a_bundle_are_written_before_the_first_message_is_acknowledged() -> None:
    warehouse = Warehouse()
    write(warehouse, delivery("facts", "batches", ack_id="a"), delivery("facts", ack_id="b", seq=2))
    assert warehouse.happened == ["write facts", "write batches", "acknowledge a", "acknowledge b"]


def test_refused_rows_are_rejects_before_their_message_is_acknowledged() -> None:
    warehouse = Warehouse(refused=["facts"])
    write(warehouse, delivery("facts", ack_id="a"))
    assert warehouse.happened == ["write facts", "write rejects_v1", "acknowledge a"]


def test_a_message_whose_rows_are_not_written_is_not_acknowledged() -> None:
    for warehouse in (Warehouse(fails=True), Warehouse(refused=["facts", "rejects_v1"])):
        with pytest.raises(RuntimeError):
            write(warehouse, delivery("facts", ack_id="a"))
        assert "acknowledge a" not in warehouse.happened


def test_what_is_written_is_known_to_the_step_that_acknowledges_repeats() -> None:
    [(_, news)] = write(Warehouse(), delivery("facts", ack_id="a"), delivery("facts", ack_id="b", seq=2))
    repeats = Repeats()
    assert list(repeats.hear(pack_repeats([(("gw1", 7, 2), "again"), (("gw1", 7, 3), "unwritten")]))) == []
    assert list(repeats.hear(news)) == ["again"]
