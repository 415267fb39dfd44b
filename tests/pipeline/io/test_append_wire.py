"""Appends by Google's client to a server on a socket, over a line that breaks: nothing lost, a bad row out, its neighbours in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from time import monotonic

import pyarrow as pa
import pytest

from pipeline.elements import UnwrittenRows
from pipeline.io.append import Appender
from pipeline.io.append_stream import AppendStream, StreamEnded
from pipeline.io.warehouse import Warehouse
from tests.pipeline.io.faulty_storage import Fault, FaultyStorage

ANSWER_SECONDS = 0.25
SCHEDULES, ROWS, THREADS = 50, 20, 8
TABLES = ("summaries_v1", "events_v1")


@contextmanager
def appender_to(storage: FaultyStorage) -> Iterator[Appender]:
    where = Warehouse("project", storage_endpoint=storage.address)
    client = where.write_client()

    def connect(table: str, schema: pa.Schema) -> AppendStream:
        return AppendStream(client, where.stream(table), schema)

    appender = Appender(connect, lambda _: None, lambda _: None, Random(1), answer_seconds=ANSWER_SECONDS)
    yield appender
    appender.close()
    client.transport.close()


def rows(numbers: range) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(numbers, pa.int64())})


def refused(unwritten: list[UnwrittenRows]) -> list[tuple[str, int]]:
    return [(one.table, number) for one in unwritten for number in one.rejected.rows.column("n").to_pylist()]


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_of_the_wire_loses_nothing_and_holds_a_bad_row_no_longer_than_the_call(fault: Fault) -> None:
    with FaultyStorage([fault], frozenset({3})) as storage, appender_to(storage) as appender:
        began = monotonic()
        given_back = [refused(appender.append({"t": [rows(range(at, at + 5))]})) for at in (0, 5, 10)]
        assert given_back == [[("t", 3)], [], []]
        assert set(storage.written["t"]) == set(range(15)) - {3}
        assert monotonic() - began < 20, "an answer that does not come was waited for as long as the client's own limit"


def test_no_schedule_of_faults_on_the_wire_loses_a_row_of_any_thread() -> None:
    """Threads share a stream for each table, so that what ends it for one ends it for all."""
    seed = random.randrange(2**32)
    rng = Random(seed)
    schedules = [range(ROWS * number, ROWS * (number + 1)) for number in range(SCHEDULES)]
    with FaultyStorage() as storage, appender_to(storage) as appender, ThreadPoolExecutor(THREADS) as pool:
        storage.faults = [rng.choice([None, *Fault]) for _ in range(2 * SCHEDULES)]
        storage.bad = frozenset(number for numbers in schedules for number in rng.sample(numbers, rng.randrange(3)))
        for numbers, unwritten in zip(
            schedules, pool.map(lambda numbers: appender.append({table: [rows(numbers)] for table in TABLES}), schedules), strict=True
        ):
            bad = storage.bad & set(numbers)
            assert sorted(refused(unwritten)) == sorted((table, number) for table in TABLES for number in bad), f"seed {seed}"
            assert all(set(numbers) - set(storage.written[table]) == bad for table in TABLES), f"seed {seed}"
        assert not storage.faults


def test_a_stream_that_has_ended_stays_ended_so_that_no_request_gets_the_answer_of_another() -> None:
    with FaultyStorage([Fault.ENDED]) as storage:
        where = Warehouse("project", storage_endpoint=storage.address)
        stream = AppendStream(where.write_client(), where.stream("t"), rows(range(1)).schema)
        unanswered = stream.send(rows(range(5)))
        with pytest.raises(StreamEnded, match="the server has ended the stream"):
            unanswered.result(10)
        with pytest.raises(StreamEnded, match="the server has ended the stream"):
            stream.send(rows(range(5, 10)))
        assert storage.written == {}
