"""What the gateway encodes, the pipeline and the gateway itself decode, equal."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.store.batch import encode
from edge.store.form import decoded
from pipeline.body import rows_of
from schemas.arrow import schema, wire_columns
from schemas.envelope import MAX_ROWS
from schemas.records import KINDS, Event, Reject, Summary

TIME = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=50),
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is UnionType:
        return st.none() | values_of(next(arg for arg in get_args(hint) if arg is not type(None)))
    if get_origin(hint) is tuple:
        return st.lists(values_of(get_args(hint)[0]), max_size=5).map(tuple)
    return _PLAIN.get(hint, st.just(None))


def records_of(kind: str) -> st.SearchStrategy[Any]:
    record = KINDS[kind].record
    return st.builds(record, **{name: values_of(hint) for name, hint in get_type_hints(record).items()})


def carried(kind: str, row: Any) -> dict[str, Any]:
    """The row as Arrow returns it: columns of the gateway only, tuples as lists."""
    values = {column.name: getattr(row, column.name) for column in wire_columns(KINDS[kind].record)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_row_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(records_of(kind), min_size=1, max_size=8))
    batch, expected = encode(kind, rows), [carried(kind, row) for row in rows]
    assert zstandard.frame_content_size(batch.body) == batch.raw_bytes, "a decoder must know the size before it decompresses"
    nothing = {column.name: [] if column.repeated else None for column in wire_columns(KINDS[kind].record) if column.doc.where_used}
    for read in (rows_of(batch.body).to_pylist(), decoded(batch.body)):
        assert [nothing | row for row in read] == [nothing | row for row in expected]


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=3)
@given(data=st.data())
def test_the_schema_is_the_contract_s_with_its_nullability(kind: str, data: st.DataObject) -> None:
    batch = encode(kind, [data.draw(records_of(kind))])
    sent = rows_of(batch.body).schema
    columns = [column for column in wire_columns(KINDS[kind].record) if column.name in sent.names or not column.doc.where_used]
    assert sent.equals(schema(tuple(columns)))


def event(time: datetime = TIME, **changed: Any) -> Event:
    plain = Event(
        device_id="probe-1",
        event_time=time,
        cause="threshold",
        rule="dry",
        channel="moisture",
        previous_state="normal",
        state="low",
        value=0.1,
        threshold=0.15,
        severity="warning",
        time_quality="synced",
    )
    return replace(plain, **changed)


def test_an_encoded_batch_describes_its_rows() -> None:
    batch = encode("events", [event(TIME), event(TIME - timedelta(hours=1))], readings=7)
    assert (batch.kind, batch.row_count, batch.priority, batch.readings) == ("events", 2, KINDS["events"].priority, 7)
    assert (batch.time_min, batch.time_max) == (TIME - timedelta(hours=1), TIME)


def test_a_thousand_like_rows_take_few_bytes() -> None:
    rows = [event(TIME + timedelta(seconds=number)) for number in range(1000)]
    assert len(encode("events", rows).body) < 20 * len(rows)


def test_every_kind_has_an_event_time_and_a_priority() -> None:
    for rows in KINDS.values():
        assert rows.priority >= 0
        assert rows.event_time in {field.name for field in fields(rows.record)}


def test_no_rows_and_too_many_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="holds 1 to"):
        encode("events", [])
    with pytest.raises(ValueError, match="holds 1 to"):
        encode("events", [event()] * (MAX_ROWS + 1))


def test_rows_too_large_for_a_decoder_are_refused() -> None:
    huge = Reject(
        timestamp=TIME,
        payloadString=None,
        payloadBytes=bytes(33_000_000),
        attributes=(),
        errorMessage="too long",
        stacktrace=None,
        reject_id="",
        stage="edge.intake",
        reason="oversized",
        device_id=None,
        topic=None,
        gateway_id=None,
        batch_id=None,
        versions=None,
    )
    with pytest.raises(ValueError, match="too large"):
        encode("rejects", [huge])


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"device_id": None}, AttributeError),
        ({"value": None}, TypeError),
        ({"value": "0.1"}, TypeError),
        ({"event_time": None}, TypeError),
        ({"event_time": datetime(2026, 5, 1)}, TypeError),  # noqa: DTZ001
        ({"rule": "\ud800"}, ValueError),
    ],
)
def test_a_value_of_the_wrong_type_is_never_sent_as_another(changed: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        encode("events", [event(), event(**changed)])


def test_a_flag_that_is_none_is_refused() -> None:
    row = Summary(
        device_id="probe-1",
        channel="moisture",
        unit="m3/m3",
        window_start=TIME,
        window_seconds=60,
        count=1,
        sum=0.2,
        m2=0.0,
        min=0.2,
        max=0.2,
        last=0.2,
        last_time=TIME,
        seq_ranges=(),
        sketch=(),
        late=None,
        time_quality="synced",
        clock_offset_ms=None,
    )  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        encode("summaries", [row])
