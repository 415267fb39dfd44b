"""What a run counts of rejects, whose reasons gateways write, too."""

from __future__ import annotations

from dataclasses import replace

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.counts import NO_REASON
from pipeline.elements import TableRows
from pipeline.options import FN_API
from pipeline.transforms.counts import count_rows, of_run
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
