"""Three sensors' readings go through gateway, export file, pipeline and warehouse to the views; then the same file is loaded again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from edge.gateway import MqttMessage
from edge.uplink.export import export
from lab.acts import history
from lab.acts.analyst import empty, prepare
from lab.acts.gateways import HISTORY, write_settings
from lab.services.stack import Warehouse
from lab.witness import delivered
from lab.world.field import REGISTRY, topic
from schemas.registry import Registry
from tests.warehouses import silent

GATEWAY = "gateway-north"
BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=4)
HOURS = 48
BROKEN = b'{"seq": 1, "values": {"moisture": '
NEVER_THE_SAME = {"received_time", "as_of", "revision", "copies"}
"""What the second load may change: when a row arrived, which revision of a rollup it is, how often a batch came."""

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def client(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    prepare(applied, Registry.load(REGISTRY), silent)
    yield applied
    empty(applied)


def _message(device: str, minutes: float, seq: int, moisture: float, temperature: float) -> MqttMessage:
    reading = {"time": (BEGIN + timedelta(minutes=minutes)).timestamp(), "seq": seq, "boot": "b1"}
    values = {"moisture": moisture, "temperature": temperature}
    return MqttMessage(topic(GATEWAY, device), json.dumps({**reading, "values": values}).encode())


def _export_two_days(directory: Path) -> None:
    """Two readings an hour from three sensors, one of them unregistered; one is missing, one repeated, one late, one broken, one hot."""
    with history.open_gateway(write_settings(directory, GATEWAY, HISTORY), BEGIN) as (gateway, store):
        for hour in range(HOURS):
            now = BEGIN + timedelta(hours=hour + 1)
            hot = 40.0 if hour == 30 else 20.0
            pairs = [(device, half) for device in ("soil-01", "soil-02", "soil-99") for half in (0, 1)]
            messages = [(device, half) for device, half in pairs if (hour, half) != (5, 1)]
            gateway.accept(
                [_message(device, 60 * hour + 30 * half, 2 * hour + half, 0.25 + 0.01 * half, hot) for device, half in messages], now
            )
            gateway.tick(now)
        after = BEGIN + timedelta(hours=HOURS, minutes=2)
        gateway.accept([_message("soil-01", 330, 11, 0.26, 20.0), _message("soil-02", 60, 2, 0.25, 20.0)], after)
        gateway.accept([MqttMessage(topic(GATEWAY, "soil-01"), BROKEN)], after)
        gateway.flush(after)
        export(store, directory / history.EXPORT_FOLDER)


def _views(client: bigquery.Client) -> dict[str, Rows]:
    rows_of = {view: [dict(row) for row in client.query_and_wait(f"select * from tinybeam.{view}")] for view in delivered.VIEWS}
    return {view: sorted(map(_comparable, rows), key=repr) for view, rows in rows_of.items()}


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in NEVER_THE_SAME}


def _stored(client: bigquery.Client) -> int:
    return next(row.total for row in client.query_and_wait("select count(*) as total from tinybeam.summaries_v1"))


@pytest.fixture(scope="module")
def loads(warehouse: Warehouse, client: bigquery.Client, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, dict[str, Rows]]]:
    """After each load, how many summaries are stored and what the views show."""
    directory = tmp_path_factory.mktemp("journey")
    _export_two_days(directory)
    loads = []
    for number in (1, 2):
        history.load(directory / history.EXPORT_FOLDER, warehouse, directory / f"pipeline-{number}.log")
        loads.append((_stored(client), _views(client)))
    return loads


def _of(rows: Rows, **wanted: Any) -> Rows:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_every_hour_of_every_registered_sensor_is_one_row_a_channel(loads: list[tuple[int, dict[str, Rows]]]) -> None:
    summaries = loads[0][1]["summaries"]
    assert len(summaries) == 2 * HOURS * 2
    assert {row["site_id"] for row in summaries} == {"mill-field", "creek-field"}
    row = _of(summaries, device_id="soil-02", channel="moisture", window_start=BEGIN + timedelta(hours=7))[0]
    assert (row["count"], row["min"], row["max"], row["seq_ranges"], row["unit"]) == (2, 0.25, 0.26, [14, 15], "m3/m3")
    assert row["mean"] == pytest.approx(0.255)


def test_a_late_reading_changes_its_hour_and_an_absent_one_leaves_a_gap(loads: list[tuple[int, dict[str, Rows]]]) -> None:
    at = {"channel": "moisture", "window_start": BEGIN + timedelta(hours=5)}
    completed = _of(loads[0][1]["summaries"], device_id="soil-01", **at)[0]
    assert (completed["count"], completed["partials"], completed["seq_ranges"]) == (2, 2, [10, 11])
    lacking = _of(loads[0][1]["summaries"], device_id="soil-02", **at)[0]
    assert (lacking["count"], lacking["partials"], lacking["seq_ranges"]) == (1, 1, [10, 10])


def test_the_hot_hour_is_an_event_when_it_comes_and_when_it_goes(loads: list[tuple[int, dict[str, Rows]]]) -> None:
    heat = _of(loads[0][1]["events"], device_id="soil-01", rule="heat")
    assert [(row["event_time"], row["state"]) for row in sorted(heat, key=lambda row: row["event_time"])] == [
        (BEGIN + timedelta(hours=30), "high"),
        (BEGIN + timedelta(hours=31), "normal"),
    ]


def test_after_a_day_of_history_the_model_scores_every_hour(loads: list[tuple[int, dict[str, Rows]]]) -> None:
    verdicts = _of(loads[0][1]["inferences"], device_id="soil-01", model="soil")
    assert len(verdicts) >= HOURS - 26
    assert {row["label"] for row in verdicts} <= {"fine", "soon", "now"}


def test_what_is_not_understood_is_kept_with_its_bytes(loads: list[tuple[int, dict[str, Rows]]]) -> None:
    rejects = loads[0][1]["rejects"]
    assert [row["payloadBytes"] for row in _of(rejects, reason="malformed_json")] == [BROKEN]
    assert _of(rejects, reason="unknown_device")
    assert not _of(loads[0][1]["summaries"], device_id="soil-99")


def test_the_same_file_loaded_again_changes_nothing_that_is_shown(loads: list[tuple[int, dict[str, Rows]]]) -> None:
    (stored, first), (stored_again, second) = loads
    assert stored_again == 2 * stored, "the second load must really reach the tables, or this proves nothing"
    for view, rows in first.items():
        assert second[view] == rows, view
