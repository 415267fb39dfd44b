"""Where the sink acknowledges, every row that a message became comes to it together with the id of the message, and no row twice."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PCollection

from pipeline import flow
from pipeline.elements import Delivery, ReceivedMessage, TableRows
from pipeline.io.archive import ArchiveFirst, Gathering
from pipeline.options import FN_API
from pipeline.repeats import Repeats, pack_written
from pipeline.rollup.transform import Schedule
from schemas.envelope import Envelope, entries
from schemas.records import KINDS
from schemas.registry import FixedRegistry
from tests.pipeline.bodies import NOW, REGISTRY, message, one_of, summary
from tests.pipeline.memory import MemorySink, still

DELIVERIES: list[Delivery] = []
REPEATS: list[bytes] = []
AHEAD: list[int] = []
"""By how many entries the archive was ahead of what was acknowledged, whenever something was."""
KEPT: list[Path] = []

MIXED = message([summary(), summary("stranger"), summary(count=0)], seq=1)
"""A fact, and two rows that are set aside for different reasons."""
SECOND = message([summary("d2"), summary("d2", channel="temperature")], seq=2)
OF_KINDS = [message([one_of(kind)], seq=10 + number) for number, kind in enumerate(KINDS)]
BROKEN = ReceivedMessage({"gateway_id": "gw1"}, b"no batch", NOW)
SENT = [
    replace(each, ack_id=f"id-{number}") for number, each in enumerate([MIXED, SECOND, *OF_KINDS, BROKEN, MIXED, SECOND, SECOND, BROKEN])
]


class _Keep(beam.PTransform):
    def expand(self, inputs: tuple[PCollection[Delivery], PCollection[Delivery], PCollection[tuple[int, bytes]]]) -> None:
        undecodable, placed, repeats = inputs
        (undecodable, placed) | beam.Flatten() | "Deliveries" >> beam.Map(_keep_delivery)
        repeats | "Repeats" >> beam.Map(_keep_repeats)


def _keep_delivery(delivery: Delivery) -> None:
    DELIVERIES.append(delivery)
    AHEAD.append(len(archived(KEPT[0])) - sum(len(each.ack_ids) for each in DELIVERIES))


def archived(folder: Path) -> list[bytes]:
    return [entry[1] for path in folder.rglob("*.tbb") for entry in entries(io.BytesIO(path.read_bytes())) if isinstance(entry, tuple)]


def _keep_repeats(news: tuple[int, bytes]) -> None:
    REPEATS.append(news[1])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def sink(kept: Path) -> MemorySink:
    DELIVERIES.clear(), REPEATS.clear(), AHEAD.clear(), KEPT.clear()
    KEPT.append(kept)
    sink = MemorySink("acknowledged")
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        messages = pipeline | beam.Create(SENT)
        keep = ArchiveFirst(str(kept), still, Gathering())
        flow.build(messages, FixedRegistry(REGISTRY), sink, Schedule(streaming=False), still, archive=keep, acknowledge=_Keep())
    return sink


def identities(rows: TableRows) -> Counter[tuple[str, int]]:
    """(batch, number) of rows that are facts, of rows inside rejects, and (batch, -1) of the batch's own row."""
    if rows.table == "batches_v1":
        return Counter((batch_id, -1) for batch_id in rows.rows.column("batch_id").to_pylist())
    if rows.table != "rejects_v1":
        return Counter(zip(*(rows.rows.column(name).to_pylist() for name in ("batch_id", "row")), strict=True))
    return Counter(found for row in rows.rows.to_pylist() for found in _inside(row))


def _inside(reject: dict[str, str]) -> list[tuple[str, int]]:
    if not reject["stage"].startswith("pipeline"):
        return [(reject["batch_id"], int(reject["reject_id"].rsplit(":")[-1]))]
    rows = pa.ipc.open_stream(io.BytesIO(reject["payloadBytes"])).read_all()
    return [(reject["batch_id"], number) for number in rows.column("row").to_pylist()]


def of_batches() -> list[Delivery]:
    return [delivery for delivery in DELIVERIES if delivery.batches]


def test_a_delivery_holds_every_row_of_its_batches_once_and_their_own(sink: MemorySink) -> None:
    sent = {Envelope.parse(each.attributes).batch_id: Envelope.parse(each.attributes).row_count for each in [MIXED, SECOND, *OF_KINDS]}
    for delivery in of_batches():
        batch_ids = [":".join(map(str, name)) for name in delivery.batches]
        rows = sum((identities(rows) for rows in delivery.tables), Counter[tuple[str, int]]())
        assert rows == Counter((batch_id, number) for batch_id in batch_ids for number in range(-1, sent[batch_id]))
    assert sorted(name for delivery in of_batches() for name in delivery.batches) == sorted(
        (envelope.gateway_id, envelope.epoch, envelope.seq)
        for envelope in (Envelope.parse(each.attributes) for each in [MIXED, SECOND, *OF_KINDS])
    )


def test_every_message_is_acknowledged_by_one_delivery_or_as_a_repeat(sink: MemorySink) -> None:
    names = {name for delivery in of_batches() for name in delivery.batches}
    repeats = Repeats()
    assert [ack_id for packed in REPEATS for ack_id in repeats.hear(packed)] == []
    of_repeats = list(repeats.hear(pack_written(names)))
    assert len(of_repeats) == 3
    assert Counter([ack_id for delivery in DELIVERIES for ack_id in delivery.ack_ids] + of_repeats) == Counter(each.ack_id for each in SENT)


def test_a_message_that_is_no_batch_is_acknowledged_with_its_reject(sink: MemorySink) -> None:
    broken = [delivery for delivery in DELIVERIES if not delivery.batches]
    assert [delivery.tables[0].rows.column("payloadBytes").to_pylist() for delivery in broken] == [[BROKEN.body]] * 2


def test_rows_of_messages_go_to_no_other_sink(sink: MemorySink) -> None:
    assert sink.table("site_windows_v1")
    tables = ("batches_v1", "summaries_v1", "inferences_v1", "events_v1", "heartbeats_v1", "rejects_v1")
    assert [row for table in tables for row in sink.table(table)] == []


def test_every_message_but_repeats_of_batches_is_in_the_archive_before_it_is_acknowledged(sink: MemorySink, kept: Path) -> None:
    assert AHEAD
    assert min(AHEAD) >= 0
    assert Counter(archived(kept)) == Counter(each.body for each in [MIXED, SECOND, *OF_KINDS, BROKEN, BROKEN])
