"""What a run counts of rejects, whose reasons gateways write, too."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.counts import METRICS, NAMESPACE, NO_REASON
from pipeline.elements import TableRows
from pipeline.options import FN_API
from pipeline.transforms.counts import count_late, count_rows, measure_ages, of_run
from tests.pipeline.bodies import one_of, table


def rejects_with(reason: str) -> TableRows:
    return TableRows("rejects_v1", table("rejects", [replace(one_of("rejects"), reason=reason)]))


@pytest.mark.parametrize(
    ("reason", "counted"), [("malformed_json", "malformed_json"), ("x" * 3000, NO_REASON), ("\x00", NO_REASON), ("", NO_REASON)]
)
def test_a_reason_that_no_program_writes_is_counted_under_one_name(reason: str, counted: str) -> None:
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"]))
    pipeline | beam.Create([rejects_with(reason)]) | beam.Map(count_rows)
    assert of_run(pipeline.run().metrics()).rejects == {counted: 1}


def test_what_waits_and_how_old_batches_are_is_measured() -> None:
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"]))
    numbers = pipeline | beam.Create([[30.4, -5.0, 90.0]])
    numbers | "Ages" >> beam.Map(measure_ages)
    numbers | "Late" >> beam.Map(lambda _: count_late("summaries_v1"))
    metrics = pipeline.run().metrics().query(beam.metrics.MetricsFilter().with_namespace(NAMESPACE))
    [age], [late] = metrics["distributions"], metrics["counters"]
    assert (age.result.min, age.result.max, age.result.count) == (0, 90, 3)
    assert (late.key.metric.name, late.result) == ("late_appends/summaries_v1", 1)


def test_every_metric_of_the_pipeline_is_described() -> None:
    root = Path(__file__).parents[3] / "pipeline"
    named = {
        name.partition("/")[0]
        for file in root.rglob("*.py")
        for name in re.findall(r'(?:counter\(f?|distribution\(NAMESPACE, )"([a-z_/]+)', file.read_text())
    }
    assert named == {name.partition("/")[0] for name in METRICS}
