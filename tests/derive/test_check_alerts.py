"""A check that finds something tells people once, and once more when it finds nothing; the notifier reads it as any other alert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from derive import check_alerts
from derive.check_alerts import Watch
from derive.rows import append
from notify.notice import Notice
from notify.wording import line
from schemas.notification import encode, parse
from schemas.records import Alert, ModelReference, Severity
from sql.scripts import script

NOW = datetime.now(UTC).replace(microsecond=0)
CHECK = script("checks", "inputs_have_not_drifted")
WATCH = Watch(CHECK, {"least_inferences": "20"})
TWENTIETHS = tuple(float(step) for step in range(21))


def reference() -> ModelReference:
    return ModelReference(
        model="soil", model_version="1", model_sha256="00", input="moisture", position=0, quantiles=TWENTIETHS, added_time=NOW
    )


def verdicts(client: bigquery.Client, values: list[float]) -> None:
    """Inferences of a model whose input has these values, of an hour ago."""
    rows = [
        f"('gw1:7:{number}', 0, 'gw1', @time, 'soil-1', timestamp_sub(@time, interval {number + 1} second), 60, 'soil', '1', '00', "
        f"'tflite', 'fine', 9.0, 1.0, [{value}], 'synced')"
        for number, value in enumerate(values)
    ]
    names = (
        "batch_id, `row`, gateway_id, received_time, device_id, window_start, window_seconds, model, model_version, model_sha256, "
        "runtime, label, score, uncertainty, features, time_quality"
    )
    time = bigquery.ScalarQueryParameter("time", "TIMESTAMP", NOW - timedelta(hours=1))
    config = bigquery.QueryJobConfig(query_parameters=[time])
    client.query_and_wait(f"insert into tinybeam.inferences_v1 ({names}) values {', '.join(rows)}", job_config=config)


def run(client: bigquery.Client, told: list[Alert], minutes: int = 0) -> Alert | None:
    return check_alerts.run(client, WATCH, told.append, NOW + timedelta(minutes=minutes))


def test_what_has_drifted_is_told_once_and_that_it_is_over_too(emptied: bigquery.Client) -> None:
    told: list[Alert] = []
    append(emptied, ModelReference, [reference()])
    verdicts(emptied, [step + 0.5 for step in range(20)] * 3)
    assert (run(emptied, told), told) == (None, []), "it is as it was in training"
    emptied.query_and_wait("truncate table tinybeam.inferences_v1")
    verdicts(emptied, [19.5] * 60)
    assert run(emptied, told) is not None
    assert run(emptied, told, 1) is None
    emptied.query_and_wait("truncate table tinybeam.inferences_v1")
    assert run(emptied, told, 2) is not None
    assert run(emptied, told, 3) is None
    assert [(row.state, row.revision, row.severity) for row in told] == [("opened", 0, "warning"), ("resolved", 1, "info")]
    assert told[0].message.startswith(
        "The check that inputs have not drifted has 1 findings; the first: model soil, model_sha256 00, input moisture, "
    )
    assert len({row.alert_id for row in told}) == 1
    assert list(emptied.query_and_wait("select * from tinybeam.alerts_open")) == []
    emptied.query_and_wait("truncate table tinybeam.alerts_v1; truncate table tinybeam.model_references_v1")


def test_the_notifier_reads_it() -> None:
    row = check_alerts.changed(Watch(CHECK, {}, Severity.CRITICAL), [{"input": "moisture\n", "psi": 0.51234}], None, NOW)
    assert row
    assert parse(encode(row)[1]) == row
    assert line(Notice.of([row])).startswith(
        "Critical: The check that inputs have not drifted has 1 findings; the first: input moisture , psi 0.512 | "
    )


def test_who_cannot_be_told_is_told_by_the_next_run(emptied: bigquery.Client) -> None:
    append(emptied, ModelReference, [reference()])
    verdicts(emptied, [19.5] * 60)

    def fails(row: Alert) -> None:
        raise TimeoutError(row.rule)

    with pytest.raises(TimeoutError):
        check_alerts.run(emptied, WATCH, fails, NOW)
    told: list[Alert] = []
    assert run(emptied, told) is not None
    assert len(told) == 1
    emptied.query_and_wait(
        "truncate table tinybeam.alerts_v1; truncate table tinybeam.model_references_v1; truncate table tinybeam.inferences_v1"
    )
