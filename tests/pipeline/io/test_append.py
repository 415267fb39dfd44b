"""Appends under faults: nothing lost, a bad row out, its neighbours in. The connections are twins; see test_sinks for the real thing."""

from __future__ import annotations

import concurrent.futures
import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from google.api_core import exceptions

from pipeline.elements import UnwrittenRows
from pipeline.io.append import MAX_REQUEST_BYTES, Appender, pieces
from tests.program.longest import Longest

SCHEMA = pa.schema([pa.field("n", pa.int64())])


def rows(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=SCHEMA)


@dataclass
class Table:
    """Keeps what is appended; `faults` are raised in turn by the next answers, `bad` numbers are refused."""

    faults: list[Exception] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)
    names_rows: bool = True
    written: list[int] = field(default_factory=list)
    lacks: list[str | None] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def connect(self, table: str, schema: pa.Schema) -> Table:
        self.opened += 1
        return self

    def send(self, batch: pa.RecordBatch) -> concurrent.futures.Future[None]:
        answer: concurrent.futures.Future[None] = concurrent.futures.Future()
        numbers = batch.column("n").to_pylist()
        if self.faults:
            answer.set_exception(self.faults.pop(0))
        elif rejected := [(index, number) for index, number in enumerate(numbers) if number in self.bad]:
            answer.set_exception(self._refusal(rejected))
        else:
            self.written += numbers
            answer.set_result(None)
        return answer

    def close(self) -> None:
        self.closed += 1

    def mismatch(self, table: str) -> str | None:
        return self.lacks.pop(0) if self.lacks else None

    def _refusal(self, rejected: list[tuple[int, int]]) -> Exception:
        errors = [SimpleNamespace(index=index, message=f"{number} is bad") for index, number in rejected] if self.names_rows else []
        return exceptions.InvalidArgument("rows are bad", response=SimpleNamespace(row_errors=errors))


def appended(table: Table, *batches: pa.RecordBatch) -> tuple[list[UnwrittenRows], list[float]]:
    slept: list[float] = []
    return Appender(table.connect, table.mismatch, slept.append, Longest()).append({"t": list(batches)}), slept


def numbers_of(unwritten: list[UnwrittenRows]) -> list[int]:
    return [number for one in unwritten for number in one.rejected.rows.column("n").to_pylist()]


def test_rows_of_many_batches_are_one_request() -> None:
    table = Table()
    assert appended(table, rows(1, 2), rows(3)) == ([], [])
    assert (table.written, table.opened) == ([1, 2, 3], 1)


@pytest.mark.parametrize(
    "fault",
    [
        exceptions.ServiceUnavailable("503"),
        exceptions.ResourceExhausted("quota"),
        exceptions.InternalServerError("500"),
        TimeoutError(),
        exceptions.Unknown("?"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_is_transient_is_sent_again_on_a_new_connection(fault: Exception) -> None:
    table = Table(faults=[fault, fault])
    unwritten, slept = appended(table, rows(1, 2))
    assert (unwritten, table.written, slept) == ([], [1, 2], [0.5, 1.0])
    assert (table.opened, table.closed) == (3, 2)


@pytest.mark.parametrize("names_rows", [True, False])
def test_bad_rows_are_given_back_at_once_and_their_neighbours_written(names_rows: bool) -> None:
    table = Table(bad={2, 5}, names_rows=names_rows)
    unwritten, slept = appended(table, rows(*range(8)))
    assert (sorted(table.written), numbers_of(unwritten), slept) == ([0, 1, 3, 4, 6, 7], [2, 5], [])
    assert {(one.table, one.rejected.reason) for one in unwritten} == {("t", "warehouse_refused")}


@pytest.mark.parametrize("names_rows", [True, False])
def test_rows_wait_for_a_column_that_their_table_lacks_and_none_is_refused(names_rows: bool, caplog: pytest.LogCaptureFixture) -> None:
    table = Table(names_rows=names_rows, lacks=["t lacks column m", "t lacks column m"])
    table.faults = [table._refusal(list(enumerate(range(2000)))), table._refusal([(0, 0)])]
    unwritten, slept = appended(table, rows(*range(2000)))
    assert (unwritten, len(table.written), slept, table.opened) == ([], 2000, [0.5, 1.0], 3)
    assert "t lacks column m: run `tinybeam sql apply`" in caplog.text


@pytest.mark.parametrize("names_rows", [True, False])
def test_rows_are_not_doubted_before_a_new_connection_refused_them_too(names_rows: bool) -> None:
    """The column came between the refusal and the look at the table; the old connection does not know of it."""
    table = Table(names_rows=names_rows)
    stale = table._refusal([(0, 0)])

    @dataclass
    class Stale(Table):
        def send(self, batch: pa.RecordBatch) -> concurrent.futures.Future[None]:
            answer: concurrent.futures.Future[None] = concurrent.futures.Future()
            answer.set_exception(stale)
            return answer

    connections: list[Table] = [Stale(), table]
    appender = Appender(lambda *_: connections.pop(0), table.mismatch, lambda _: None, Longest())
    assert appender.append({"t": [rows(1, 2, 3, 4)]}) == []
    assert sorted(table.written) == [1, 2, 3, 4]


def test_rows_wait_while_bigquery_has_not_seen_the_new_column_yet() -> None:
    table = Table(faults=[exceptions.InvalidArgument("Schema mismatch due to extra fields in user schema. Entity: t")])
    assert appended(table, rows(1, 2)) == ([], [0.5])
    assert table.written == [1, 2]


def test_any_schedule_of_faults_loses_and_repeats_nothing() -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    for _ in range(50):
        faults: list[Any] = [exceptions.ServiceUnavailable("503") for _ in range(rng.randrange(4))]
        table = Table(faults=faults, bad=set(rng.sample(range(40), rng.randrange(4))), names_rows=rng.random() < 0.5)
        unwritten, _ = appended(table, rows(*range(20)), rows(*range(20, 40)))
        assert sorted(table.written + numbers_of(unwritten)) == list(range(40)), f"seed {seed}"
        assert set(numbers_of(unwritten)) == table.bad, f"seed {seed}"


def test_a_connection_that_cannot_be_opened_is_tried_again() -> None:
    table = Table()
    failures = [exceptions.ServiceUnavailable("no route")]

    def connect(name: str, schema: pa.Schema) -> Table:
        if failures:
            raise failures.pop()
        return table

    assert Appender(connect, table.mismatch, lambda _: None, Longest()).append({"t": [rows(1)]}) == []
    assert table.written == [1]


def test_requests_stay_below_the_limit_and_keep_every_row() -> None:
    big = pa.record_batch([pa.array([number.to_bytes(4, "big") * 250_000 for number in range(20)])], names=["b"])
    cut = list(pieces([big]))
    assert all(one.nbytes <= MAX_REQUEST_BYTES for one in cut)
    assert pa.Table.from_batches(cut).combine_chunks().to_batches()[0].equals(big)


def test_nothing_is_no_request() -> None:
    assert list(pieces([])) == list(pieces([rows()])) == []


def test_a_table_that_is_denied_holds_no_other_of_its_bundle() -> None:
    denied, other = Table(faults=[exceptions.PermissionDenied("no rights")] * 3), Table(bad={5}, names_rows=False)
    written_at: list[tuple[int, list[int]]] = []
    tables = {"denied": denied, "other": other}
    appender = Appender(
        lambda table, _: tables[table], lambda _: None, lambda _: written_at.append((len(denied.written), sorted(other.written))), Longest()
    )
    unwritten = appender.append({"denied": [rows(1, 2)], "other": [rows(*range(3, 9))]})
    assert written_at[0] == (0, [3, 4, 6, 7, 8])
    assert (denied.written, numbers_of(unwritten)) == ([1, 2], [5])


def test_rows_that_wait_for_minutes_are_told_by_table_and_cause(caplog: pytest.LogCaptureFixture) -> None:
    now, late = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    table = Table(faults=[exceptions.NotFound("t is not there")] * 20)
    appender = Appender(table.connect, table.mismatch, sleep, Longest(), lambda: now[0])
    assert appender.append({"t": [rows(1)]}, late.append) == []
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert (now[0] // 300, late) == (2, ["t", "t"])
    assert errors[0].startswith("rows of t wait for 5 minutes, and their messages are not acknowledged: NotFound: 404 t is not there")


def test_an_outage_that_passes_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    appended(Table(faults=[exceptions.ServiceUnavailable("503")] * 8), rows(1))
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@dataclass
class Narrow(Table):
    """Takes requests of some rows at most, as a server does that counts bytes."""

    most: int = 3

    def send(self, batch: pa.RecordBatch) -> concurrent.futures.Future[None]:
        if batch.num_rows > self.most:
            answer: concurrent.futures.Future[None] = concurrent.futures.Future()
            answer.set_exception(exceptions.ResourceExhausted("Received message larger than max (5000000 vs. 4194304)"))
            return answer
        return super().send(batch)


def test_a_request_that_is_too_large_for_the_server_is_split_at_once() -> None:
    table = Narrow()
    unwritten, slept = appended(table, rows(*range(20)))
    assert (unwritten, sorted(table.written), slept) == ([], list(range(20)), [])


def test_a_row_that_is_too_large_by_itself_is_given_back() -> None:
    unwritten, slept = appended(Narrow(most=0), rows(1, 2))
    assert (numbers_of(unwritten), slept) == ([1, 2], [])


def test_a_quota_is_waited_for_and_nothing_is_split() -> None:
    table = Table(faults=[exceptions.ResourceExhausted("Exceeds quota of AppendRows throughput")])
    assert (appended(table, rows(*range(20)))[1], table.opened) == ([0.5], 2)
