"""What the pipeline counts, as Prometheus reads it."""

from __future__ import annotations

import re

from pipeline.exposition import Ages, exposition


def test_names_of_the_engine_become_names_with_labels() -> None:
    counters = {"messages": 7, "rows/events_v1": 3, "rows/rejects_v1": 1, "rejects/late": 1}
    values = dict(re.findall(r"^(\w+(?:{.*})?) (\d+)$", exposition(counters, Ages(2, 30, 25)), re.MULTILINE))
    assert values == {
        "tinybeam_pipeline_messages_total": "7",
        "tinybeam_pipeline_batches_total": "0",
        "tinybeam_pipeline_repeated_total": "0",
        'tinybeam_pipeline_rows_total{table="events_v1"}': "3",
        'tinybeam_pipeline_rows_total{table="rejects_v1"}': "1",
        'tinybeam_pipeline_rejects_total{reason="late"}': "1",
        "tinybeam_pipeline_batch_age_seconds_sum": "30",
        "tinybeam_pipeline_batch_age_seconds_count": "2",
        "tinybeam_pipeline_batch_age_seconds_max": "25",
    }
