"""The local runner looks at each DoFn once, and sees the same as Beam does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import Metrics, MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.testing import test_stream as scripted
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import core, userstate
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from pipeline import local_runner
from pipeline.local_runner import LocalRunner, arguments_once, specs_once
from pipeline.options import BUNDLES

INSPECTED: list[Any] = []


def arguments(of: Any, name: str) -> Any:
    INSPECTED.append(name)
    return core.get_function_args_defaults(getattr(of, name))


def specs(of: core.DoFn) -> Any:
    INSPECTED.append(type(of))
    return userstate.get_dofn_specs(of)


class Total(beam.DoFn):
    """The sum of a key's values so far."""

    SUM = ReadModifyWriteStateSpec("sum", beam.coders.VarIntCoder())

    def process(self, element: tuple[str, int], total: Any = beam.DoFn.StateParam(SUM)) -> Iterator[tuple[str, int]]:  # noqa: B008
        key, value = element
        total.write((total.read() or 0) + value)
        yield key, total.read()


class Other(Total):
    """Takes no state."""

    def process(self, element: Any) -> Iterator[Any]:
        yield element


@pytest.fixture(autouse=True)
def nothing_inspected() -> None:
    INSPECTED.clear()


def test_a_method_is_inspected_once_for_all_instances_and_a_class_that_overrides_it_anew() -> None:
    once = arguments_once(arguments)
    for of in (Total(), Total(), Other()):
        assert once(of, "process") == core.get_function_args_defaults(of.process)
    assert INSPECTED == ["process", "process"]


def test_the_states_of_a_class_are_those_that_beam_finds() -> None:
    once = specs_once(specs)
    for of in (Total(), Other(), Total(), Other()):
        assert once(of) == userstate.get_dofn_specs(of)
    assert [Total, Other] == INSPECTED


def test_dofns_that_wrap_a_method_are_looked_at_each_for_itself() -> None:
    once = specs_once(specs)
    wrapping = [core.CallableWrapperDoFn(of.process) for of in (Total(), Other())]
    assert [bool(states) for states, _ in map(once, wrapping)] == [True, False]


def test_it_is_what_a_streaming_pipeline_on_one_machine_runs_on() -> None:
    runner: PipelineRunner = create_runner(BUNDLES)
    assert isinstance(runner, LocalRunner)


def test_a_keyed_state_outlasts_its_bundle() -> None:
    script = scripted.TestStream().advance_watermark_to(0)
    for number in range(6):
        script = script.add_elements([("ab"[number % 2], number)])
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        sums = pipeline | script.advance_watermark_to_infinity() | beam.ParDo(Total())
        assert_that(sums, equal_to([("a", 0), ("b", 1), ("a", 2), ("b", 4), ("a", 6), ("b", 9)]))


def seen(elements: int) -> int:
    """How many elements, each in a bundle of its own, a step has counted when they are through."""
    script = scripted.TestStream().advance_watermark_to(0)
    for number in range(elements):
        script = script.add_elements([number])
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"]))
    _ = pipeline | script.advance_watermark_to_infinity() | beam.Map(lambda _: Metrics.counter("test", "seen").inc())
    result = pipeline.run()
    result.wait_until_finish()
    [found] = result.metrics().query(MetricsFilter().with_name("seen"))["counters"]
    return int(found.committed)


def test_what_each_bundle_counts_is_counted() -> None:
    assert seen(6) == 6


def test_without_a_sampler_of_their_own_the_first_bundles_alone_count(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = [(owner, name, getattr(ours, "__wrapped__", ours)) for owner, name, ours in local_runner._REPLACED]
    monkeypatch.setattr(local_runner, "_REPLACED", replaced)
    assert seen(6) < 6
