"""Bodies of every version are opened, in bounded memory; what needs a dictionary that is not here is refused with its number."""

from __future__ import annotations

import io
import resource
from collections import defaultdict

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from edge.store.batch import encode
from pipeline.body import Undecodable, opened, read_together, rows_of
from pipeline.decode import decode
from pipeline.elements import ReceivedMessage
from schemas import columns
from schemas.columns import pack
from schemas.dictionary import current, number_of
from schemas.envelope import MAX_RAW_BYTES, entries
from schemas.records import KINDS, SCHEMA_VERSION, Kind
from tests.edge.store.test_batch import records_of
from tests.pipeline.bodies import NOW, compress, in_columns, message_of, numbered, one_of, table
from tests.pipeline.golden_bytes import golden


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_batches_of_every_version_are_still_read(version: str) -> None:
    """An export file that a gateway of that version wrote before there were samples: a batch of each other kind, two equal rows in each."""
    found = [decode(ReceivedMessage(*entry, NOW)) for entry in entries(io.BytesIO(golden("batches", version))) if isinstance(entry, tuple)]
    assert [batch.envelope.kind for batch in found] == [kind for kind in KINDS if kind != Kind.SAMPLES]
    assert {batch.envelope.schema_version for batch in found} == {version}
    for batch in found:
        first, second = batch.rows.drop_columns(["row"]).to_pylist()
        assert first == second
        assert first.get("device_id", "soil-1") == "soil-1"
    [heartbeat, _] = next(batch for batch in found if batch.envelope.kind == "heartbeats").rows.to_pylist()
    assert (heartbeat["readings_summarised"], heartbeat["dropped_ranges"], heartbeat["broker_state"]) == (4, [3, 3], "offline")


@pytest.mark.parametrize("kind", KINDS)
def test_columns_and_an_arrow_stream_of_the_same_rows_give_the_same(kind: str) -> None:
    rows = table(kind, numbered(4) if kind == "summaries" else [one_of(kind)] * 4)
    assert decode(message_of(kind, rows, content=in_columns)).rows.equals(decode(message_of(kind, rows)).rows)


@given(st.sampled_from(list(KINDS)), st.data())
def test_bodies_read_together_give_the_rows_of_each(kind: str, data: st.DataObject) -> None:
    batches = data.draw(
        st.lists(st.lists(records_of(kind), min_size=1, max_size=4).map(lambda rows: encode(kind, rows)), min_size=1, max_size=4)
    )
    alike = defaultdict(list)
    for batch in batches:  # one may lack columns that another uses: as pipeline.decode does, those of one schema are read together
        content = opened(batch.body, batch.raw_bytes)
        alike[content.schema].append((batch, content))
    for found in alike.values():
        together = read_together([content for _, content in found], [batch.row_count for batch, _ in found])
        assert together.to_pylist() == [row for batch, _ in found for row in rows_of(batch.body).to_pylist()]


@pytest.mark.parametrize("counts", [[1, 2], [200, 1], [50, 300, 20]])
def test_few_rows_and_many_are_read_together_alike(counts: list[int]) -> None:
    batches = [encode("summaries", numbered(count)) for count in counts]
    together = read_together([opened(batch.body, batch.raw_bytes) for batch in batches], counts)
    assert together.to_pylist() == [row for batch in batches for row in columns.unpack(_content(batch.body))]


def _content(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(current())).decompress(body)


def test_the_gateway_compresses_with_the_dictionary_of_its_version() -> None:
    batch = encode("heartbeats", [one_of("heartbeats")])
    assert zstandard.get_frame_parameters(batch.body).dict_id == number_of(SCHEMA_VERSION)
    assert zstandard.ZstdCompressionDict(current()).dict_id() == number_of(SCHEMA_VERSION)


def test_a_dictionary_that_is_not_here_is_named_with_its_version() -> None:
    samples = [pack(KINDS["summaries"].record, numbered(count % 9 + 1)) for count in range(200)]
    later = zstandard.train_dictionary(1024, samples, dict_id=number_of("1.99"))
    body = zstandard.ZstdCompressor(dict_data=later).compress(samples[0])
    with pytest.raises(Undecodable, match=r"of a gateway of schema version 1\.99\); here are those of 1\.3") as caught:
        opened(body, len(samples[0]))
    assert caught.value.reason == "no_dictionary"


def test_a_bomb_with_a_dictionary_is_bounded_in_memory() -> None:
    compressor = zstandard.ZstdCompressor(dict_data=zstandard.ZstdCompressionDict(current()))
    small = compressor.compress(bytes(MAX_RAW_BYTES * 4))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        with pytest.raises(Undecodable, match="bytes, the zstd frame"):
            opened(small, MAX_RAW_BYTES)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 32_000


def test_a_count_of_rows_that_the_bytes_do_not_hold_takes_no_memory() -> None:
    raw = in_columns(table("summaries", numbered(2)), 2**32 - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Undecodable, match="not sound columns"):
        rows_of(compress(raw))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 32_000
