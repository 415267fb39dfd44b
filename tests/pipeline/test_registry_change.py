"""The registry changes while the flow runs: a device, a rule and a field are known from then on, and the graph is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import apache_beam as beam
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import flow
from pipeline.elements import ReceivedMessage
from pipeline.options import BUNDLES, FN_API
from pipeline.rollup.transform import Schedule
from schemas.records import Device
from schemas.registry import FixedRegistry, Registry
from schemas.rules.event import EventRule
from schemas.rules.silence import SilenceRule
from tests.pipeline.bodies import ALWAYS, NOW, REGISTRY, message, one_of, summary
from tests.pipeline.memory import MemorySink, still

IN_FORCE: list[Registry] = [REGISTRY]
"""Engines copy the source, so what is in force is kept here."""

RULE = EventRule(name="dries-out", event="soil", opens=("soon",))
SILENCE = SilenceRule(name="silent", silent_seconds=600)
GROWN = replace(REGISTRY, devices=(*REGISTRY.devices, Device("stranger", "soil", "north", ALWAYS, None)), rules=(RULE, SILENCE))


class Changing:
    """Gives what is in force, in this process."""

    def current(self) -> Registry:
        return IN_FORCE[0]


def _put_in_force(message: ReceivedMessage) -> ReceivedMessage:
    IN_FORCE[0] = GROWN if message.received_time >= NOW + timedelta(minutes=5) else REGISTRY
    return message


@pytest.fixture(scope="module")
def sink() -> MemorySink:
    """A stranger and an event, before the registry knows of them and after."""
    sink, script = MemorySink("changing"), scripted.TestStream(coder=PickleCoder()).advance_watermark_to(NOW.timestamp())
    for number, minutes in enumerate((1, 6)):
        at = NOW + timedelta(minutes=minutes)
        event = replace(one_of("events"), event_time=at, rule="soil", state="soon")
        for kind, row in enumerate((summary("stranger", at), event)):
            script = script.add_elements([message([row], at, seq=2 * number + kind + 1)])
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        messages = pipeline | script.advance_watermark_to_infinity() | beam.Map(_put_in_force).with_output_types(ReceivedMessage)
        flow.build(messages, Changing(), sink, Schedule(streaming=True), still)
    return sink


def test_a_device_that_the_registry_learns_of_is_a_reject_before_and_a_fact_after(sink: MemorySink) -> None:
    assert [row["batch_id"] for row in sink.table("rejects_v1")] == ["gw1:7:1"]
    assert [(row["batch_id"], row["site_id"]) for row in sink.table("summaries_v1")] == [("gw1:7:3", "north")]


def test_a_rule_that_the_registry_learns_of_opens_alerts_from_then_on(sink: MemorySink) -> None:
    assert [(row["rule"], row["event_time"]) for row in sink.table("alerts_v1")] == [("dries-out", NOW + timedelta(minutes=6))]


@pytest.mark.parametrize(("runner", "streaming"), [(BUNDLES, True), (FN_API, False)])
def test_the_graph_is_the_same_whatever_the_registry_says(runner: str, *, streaming: bool) -> None:
    assert steps(Registry((), ()), runner, streaming=streaming) == steps(GROWN, runner, streaming=streaming)


def steps(registry: Registry, runner: str, *, streaming: bool) -> list[str]:
    """Names every step, and what it takes and gives."""
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={runner}"]))
    flow.build(pipeline | beam.Create([message([summary()])]), FixedRegistry(registry), MemorySink("graph"), Schedule(streaming), still)
    components = pipeline.to_runner_api().components
    return sorted(
        f"{step.unique_name}: {step.spec.urn}, {sorted(step.inputs.items())} -> {sorted(step.outputs.items())}"
        for step in components.transforms.values()
    )
