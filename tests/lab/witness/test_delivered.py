"""The oracle on the real views: with a fact removed, and with a reading summarised twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from google.cloud import bigquery

from lab.acts.analyst import empty, prepare
from lab.acts.reconciliation import Reconciliation
from lab.witness.oracle import MessageKey
from lab.world.field import REGISTRY
from schemas.registry import Registry
from tests.warehouses import silent

BEGIN = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
READINGS: set[MessageKey] = {("soil-01", seq) for seq in (1, 2, 3, 4)}
UNREGISTERED: set[MessageKey] = {("soil-99", 7), ("soil-99", 8)}
BROKEN = b'{"values": {'


@pytest.fixture(scope="module")
def client(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    prepare(applied, Registry.load(REGISTRY), silent)
    yield applied
    empty(applied)


@pytest.fixture
def reconciliation(client: bigquery.Client) -> Iterator[Reconciliation]:
    """Four readings in two windows, two of a device that nobody registered and one broken message: all acknowledged, all there."""
    for number, ranges in enumerate(([1, 2], [3, 4])):
        _insert_summaries(client, f"gateway-north:1:{number + 1}", number, ranges)
    _insert_reject(client, "one", BROKEN, "edge.intake", "malformed_json")
    _insert_reject(client, "two", _stream([7, 8]), "pipeline.enrich", "unknown_device")
    found = Reconciliation(client, BEGIN - timedelta(hours=1))
    found.add({*READINGS, *UNREGISTERED, BROKEN}, {*READINGS, *UNREGISTERED, BROKEN})
    yield found
    for table in ("summaries_v1", "rejects_v1"):
        client.query_and_wait(f"delete from tinybeam.{table} where true")


def _insert_summaries(client: bigquery.Client, batch_id: str, hour: int, ranges: list[int]) -> None:
    for row, channel in enumerate(("moisture", "temperature")):
        values = {
            "batch_id": f"'{batch_id}'",
            "row": row,
            "gateway_id": "'gateway-north'",
            "received_time": "@now",
            "device_id": "'soil-01'",
            "channel": f"'{channel}'",
            "unit": "'m3/m3'",
            "window_start": "@start",
            "window_seconds": 3600,
            "count": ranges[1] - ranges[0] + 1,
            "sum": 0.5,
            "m2": 0.0,
            "min": 0.25,
            "max": 0.25,
            "last": 0.25,
            "last_time": "@start",
            "seq_ranges": str(ranges),
            "late": "false",
            "time_quality": "'synced'",
        }
        _insert(client, "summaries_v1", values, BEGIN + timedelta(hours=hour))


def _insert_reject(client: bigquery.Client, reject_id: str, payload: bytes, stage: str, reason: str) -> None:
    values = {
        "timestamp": "@start",
        "payloadBytes": f"from_hex('{payload.hex()}')",
        "errorMessage": "'so'",
        "reject_id": f"'{reject_id}'",
        "stage": f"'{stage}'",
        "reason": f"'{reason}'",
    }
    _insert(client, "rejects_v1", values, BEGIN)


def _insert(client: bigquery.Client, table: str, values: dict[str, object], start: datetime) -> None:
    names, texts = ", ".join(f"`{name}`" for name in values), ", ".join(map(str, values.values()))
    times = [bigquery.ScalarQueryParameter(name, "TIMESTAMP", time) for name, time in (("start", start), ("now", BEGIN))]
    config = bigquery.QueryJobConfig(query_parameters=times)
    client.query_and_wait(f"insert into tinybeam.{table} ({names}) values ({texts})", job_config=config)


def _stream(seqs: list[int]) -> bytes:
    """Summaries as the pipeline rejects them."""
    rows = [{"device_id": "soil-99", "channel": channel, "seq_ranges": seqs, "count": len(seqs)} for channel in ("moisture", "temperature")]
    table = pa.Table.from_pylist(rows)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return bytes(out.getvalue().to_pybytes())


def test_what_is_in_the_views_and_in_rejects_is_delivered(reconciliation: Reconciliation) -> None:
    verdict = reconciliation.verdict()
    assert verdict.sound, verdict
    assert verdict.delivered == 7
    assert reconciliation.readings_acknowledged == 6


def test_a_fact_that_is_removed_is_lost(reconciliation: Reconciliation) -> None:
    reconciliation.client.query_and_wait("delete from tinybeam.summaries_v1 where batch_id = 'gateway-north:1:2' and channel = 'moisture'")
    assert reconciliation.verdict().lost == (("soil-01", 3), ("soil-01", 4))


def test_a_reject_that_is_removed_is_lost(reconciliation: Reconciliation) -> None:
    reconciliation.client.query_and_wait("delete from tinybeam.rejects_v1 where reject_id = 'one'")
    assert reconciliation.verdict().lost == (BROKEN,)


def test_a_row_that_arrived_twice_is_no_repeat(reconciliation: Reconciliation) -> None:
    _insert_summaries(reconciliation.client, "gateway-north:1:2", 1, [3, 4])
    assert reconciliation.verdict().sound


def test_readings_that_were_summarised_twice_are_repeats(reconciliation: Reconciliation) -> None:
    _insert_summaries(reconciliation.client, "gateway-north:1:3", 1, [4, 4])
    assert reconciliation.verdict().repeated == 1


def test_readings_that_nobody_sent_are_unexpected(reconciliation: Reconciliation) -> None:
    _insert_summaries(reconciliation.client, "gateway-north:1:3", 2, [5, 5])
    assert reconciliation.verdict().unexpected == (("soil-01", 5),)
