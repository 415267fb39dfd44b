"""What is written for pipelines of an earlier release is what gateways of that release wrote: the same attributes, columns and rows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.gateway import Gateway
from edge.store.batch import BatchLimits, encode
from edge.store.form import decoded
from edge.store.store import Store
from edge.uplink.export import export
from edge.uplink.google_publisher import publish_request
from pipeline.body import rows_of
from schemas.arrow import wire_columns
from schemas.dictionary import dictionaries, number_of
from schemas.envelope import Envelope, entries
from schemas.message import message_parts
from schemas.records import KINDS, SCHEMA_VERSION, Reject
from schemas.releases import FIRST_IN_COLUMNS, SCHEMA_VERSIONS, EarlierPipeline, is_before
from tests.edge.gateways import START, config, message
from tests.edge.store.test_batch import carried, records_of
from tests.pipeline.bodies import one_of
from tests.pipeline.golden_bytes import golden

EARLIER = sorted(set(SCHEMA_VERSIONS.values()))
THE_STORES_OWN = {"gateway_id", "epoch", "seq", "cut_time"}


def sent_before(version: str) -> dict[str, tuple[dict[str, str], bytes]]:
    """What a gateway of that version wrote, by kind."""
    return {entry[0]["kind"]: entry for entry in entries(io.BytesIO(golden("batches", version))) if isinstance(entry, tuple)}


def stream(body: bytes) -> pa.Table:
    table = pa.ipc.open_stream(zstandard.ZstdDecompressor().decompress(body)).read_all()
    table.validate(full=True)
    return table


def record(kind: str, row: Mapping[str, Any]) -> Any:
    """The record of a row that was read; what is not on the wire is as a gateway leaves it."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    absent = {"attributes": (), "reject_id": ""} if KINDS[kind].record is Reject else {}
    return KINDS[kind].record(**absent, **values)


@pytest.mark.parametrize(("version", "kind"), [(version, kind) for version in EARLIER for kind in sent_before(version)])
def test_what_is_written_for_an_earlier_pipeline_is_what_a_gateway_of_then_wrote(tmp_path: Path, version: str, kind: str) -> None:
    attributes, body = sent_before(version)[kind]
    rows = [record(kind, row) for row in stream(body).to_pylist()]
    store = Store(tmp_path / "store.db", "gw-1", 16 << 20)
    store.cut([encode(kind, rows, limits=BatchLimits(schema_version=version))], START)
    [batch] = store.pending(1)
    store.close()
    attributes_now, body_now = message_parts(batch.envelope, batch.body)
    assert attributes_now.keys() == attributes.keys()
    assert {name for name, value in attributes_now.items() if value != attributes[name]} <= THE_STORES_OWN
    assert stream(body_now).schema.equals(stream(body).schema, check_metadata=True)
    assert stream(body_now).to_pylist() == stream(body).to_pylist()
    now, then = map(zstandard.get_frame_parameters, (body_now, body))
    assert (now.dict_id, now.has_checksum, now.content_size) == (0, then.has_checksum, then.content_size)


@pytest.mark.parametrize("version", EARLIER)
@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_every_row_comes_back_with_the_columns_of_the_version(kind: str, version: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(records_of(kind), min_size=1, max_size=5))
    batch = encode(kind, rows, limits=BatchLimits(schema_version=version))
    wanted = [column.name for column in wire_columns(KINDS[kind].record, version)]
    expected = [{name: carried(kind, row)[name] for name in wanted} for row in rows]
    assert rows_of(batch.body).to_pylist() == expected
    assert decoded(batch.body) == expected


@pytest.mark.parametrize("changed", [{"device_id": None}, {"value": "0.1"}, {"event_time": START.replace(tzinfo=None)}, {"rule": "\ud800"}])
def test_a_value_of_the_wrong_type_is_not_written_for_an_earlier_pipeline_either(changed: dict[str, Any]) -> None:
    event = {name: getattr(one_of("events"), name) for name in KINDS["events"].record.__dataclass_fields__}
    with pytest.raises((AttributeError, TypeError, ValueError)):
        encode("events", [KINDS["events"].record(**event | changed)], limits=BatchLimits(schema_version="1.1"))


def test_a_gateway_for_an_earlier_pipeline_sends_and_exports_nothing_that_it_would_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", "gw-1", 16 << 20)
    gateway = Gateway(config(tmp_path, batches={"seconds": 0, "for_pipeline": "0.2"}), store, START)
    gateway.accept([message("d1", {"values": {"moisture": 0.1}, "seq": 1}), message("unknown", {"values": {}})], START)
    gateway.flush(START + timedelta(minutes=1))
    waiting = store.batches(0, 100)
    [file] = export(store, tmp_path / "exported")
    store.close()
    sent = [(dict(each.attributes), each.data) for each in publish_request("projects/p/topics/t", waiting).messages]
    assert {attributes["kind"] for attributes, _ in sent} == {"summaries", "events", "heartbeats", "rejects"}
    assert sent == list(entries(io.BytesIO(file.path.read_bytes())))
    for attributes, body in sent:
        assert Envelope.parse(attributes).schema_version == "1.1"
        assert stream(body).schema.equals(stream(sent_before("1.1")[attributes["kind"]][1]).schema)


def test_the_setting_takes_every_release_that_needs_it() -> None:
    assert set(get_args(EarlierPipeline)) == set(SCHEMA_VERSIONS)
    assert all(is_before(version, FIRST_IN_COLUMNS) for version in SCHEMA_VERSIONS.values())
    assert not is_before(SCHEMA_VERSION, FIRST_IN_COLUMNS)
    assert min(dictionaries()) == number_of(FIRST_IN_COLUMNS)
