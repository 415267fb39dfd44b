"""The messages of a bundle cross as few elements, bounded, as old as the oldest of them; a repeat is dropped behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue

from pipeline import parcel
from pipeline.elements import DecodedBatches, ReceivedMessage, TableRows
from pipeline.known_batches import bucket
from pipeline.options import FN_API
from pipeline.transforms.decode import DecodeNew
from pipeline.transforms.gather import BYTES_TOGETHER, Gather, Parcel
from tests.pipeline.bodies import NOW, message, numbered
from tests.pipeline.memory import still

PARCELS: list[tuple[Parcel, float]] = []
NEW: list[DecodedBatches] = []
REJECTS: list[TableRows] = []


def gathered(messages: Sequence[ReceivedMessage]) -> list[tuple[int, list[ReceivedMessage], float]]:
    PARCELS.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        pipeline | beam.Create([list(messages)]) | beam.FlatMap(_as_they_came) | Gather() | "Keep" >> beam.Map(_keep)
    return [(key, list(parcel.unpack(packed)), timestamp) for (key, packed), timestamp in PARCELS]


def _as_they_came(messages: list[ReceivedMessage]) -> list[TimestampedValue]:
    return [TimestampedValue(sent, sent.received_time.timestamp()) for sent in messages]


def _keep(sent: Parcel, timestamp: Any = beam.DoFn.TimestampParam) -> None:
    PARCELS.append((sent, timestamp.micros / 1e6))


def sent_by(gateway_id: str, seq: int) -> ReceivedMessage:
    return message(numbered(2), NOW + timedelta(seconds=seq), gateway_id=gateway_id, seq=seq)


def test_the_messages_of_a_bucket_cross_together_as_old_as_the_oldest() -> None:
    messages = [sent_by(gateway_id, seq) for seq in (5, 3, 9) for gateway_id in ("gw1", "gw2")]
    assert bucket("gw1") != bucket("gw2")
    assert sorted(gathered(messages)) == sorted(
        (bucket(gateway_id), [sent_by(gateway_id, seq) for seq in (5, 3, 9)], (NOW + timedelta(seconds=3)).timestamp())
        for gateway_id in ("gw1", "gw2")
    )


def test_a_message_without_a_gateway_crosses_too() -> None:
    nameless = replace(sent_by("gw1", 1), attributes={})
    [(_, messages, _)] = gathered([nameless])
    assert messages == [nameless]


def test_what_crosses_together_is_bounded() -> None:
    large = [replace(sent_by("gw1", seq), body=bytes(BYTES_TOGETHER // 3 + 1)) for seq in range(1, 8)]
    assert sorted(len(messages) for _, messages, _ in gathered(large)) == [1, 3, 3]


def test_repeats_are_dropped_in_a_parcel_and_across_parcels_and_a_corrupt_copy_shadows_nothing() -> None:
    NEW.clear(), REJECTS.clear()
    good = [sent_by("gw1", seq) for seq in (1, 2, 3)]
    corrupt = replace(good[0], body=good[0].body[:-1])
    parcels = [(bucket("gw1"), parcel.pack(some)) for some in ([corrupt, good[0], good[1], good[0]], [good[1], good[2], corrupt])]
    decoded(parcels)
    assert sorted(seq for batches in NEW for seq in batches.receipts.column("seq").to_pylist()) == [1, 2, 3]
    assert sum(batches.rows.num_rows for batches in NEW) == 6
    assert [reject.rows.column("reason").to_pylist() for reject in REJECTS] == [["bad_zstd"]] * 2


def decoded(parcels: Sequence[Parcel], most: int = 100) -> None:
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        keyed = pipeline | beam.Create(parcels).with_output_types(Parcel)
        new, undecodable, *_ = keyed | DecodeNew(still, most=most)
        new | "Keep new" >> beam.Map(_keep_new)
        undecodable | "Keep rejects" >> beam.Map(_keep_reject)


def test_3_another_batch_under_a_name_that_is_taken_is_set_aside_with_its_bytes() -> None:
    """In the same parcel as the first one and in a later one; the repeat of either changes nothing."""
    NEW.clear(), REJECTS.clear()
    good, other = sent_by("gw1", 1), message(numbered(5), gateway_id="gw1", seq=1)
    later, other_later = sent_by("gw1", 2), message(numbered(7), gateway_id="gw1", seq=2)
    decoded([(bucket("gw1"), parcel.pack(some)) for some in ([good, other, later], [good, other_later], [other_later, later])])
    assert sorted(batches.rows.num_rows for batches in NEW) == [4]
    found = [reject.rows.select(["reason", "payloadBytes", "batch_id", "stage"]).to_pylist()[0] for reject in REJECTS]
    assert sorted(map(tuple, (each.values() for each in found)), key=str) == sorted(
        [
            ("name_taken", other.body, "gw1:7:1", "pipeline.decode"),
            ("name_taken", other_later.body, "gw1:7:2", "pipeline.decode"),
            ("name_taken", other_later.body, "gw1:7:2", "pipeline.decode"),
        ],
        key=str,
    )


def test_a_repeat_of_long_ago_is_set_aside_since_nobody_knows_what_was_in_the_first() -> None:
    """Two bags hold two batches each: the fourth batch empties the first bag, the sixth the second."""
    NEW.clear(), REJECTS.clear()
    sent = [sent_by("gw1", seq) for seq in range(1, 7)]
    decoded([(bucket("gw1"), parcel.pack([each])) for each in (*sent[:3], sent[0], *sent[3:], sent[5], sent[2], sent[0])], most=2)
    assert sum(batches.receipts.num_rows for batches in NEW) == 6
    assert [reject.rows.select(["reason", "batch_id"]).to_pylist() for reject in REJECTS] == [
        [{"reason": "repeat_unproven", "batch_id": batch_id}] for batch_id in ("gw1:7:3", "gw1:7:1")
    ]


def _keep_new(batches: DecodedBatches) -> None:
    NEW.append(batches)


def _keep_reject(reject: TableRows) -> None:
    REJECTS.append(reject)
