"""A graph as Dataflow compares it with the one that runs: names of steps, what they remember, and how elements travel to those that do.

https://cloud.google.com/dataflow/docs/guides/updating-a-pipeline says what it refuses; `refusals` says the same of two such texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apache_beam.portability.api import beam_runner_api_pb2 as api
from apache_beam.runners.pipeline_context import PipelineContext

GOLDEN = Path(__file__).with_name("graph.txt")
"""The graph of `main`: what a job that runs may have been launched with."""


def described(graph: api.Pipeline) -> str:
    """One line for each step, sorted: `name | what it is | state, timers, side inputs | coder and windows of its inputs`."""
    parts = graph.components
    leaves = [step for step in parts.transforms.values() if step.spec.urn and not step.subtransforms]
    return "".join(sorted(f"{' | '.join(_line(step, parts)).rstrip(' |')}\n" for step in leaves))


def refusals(running: str, new: str) -> list[str]:
    """Why a job of the first graph could not be replaced by one of the second. A step more is none."""
    after = {line.partition(" | ")[0]: line for line in new.splitlines()}
    return [
        f"{name}: {'gone' if name not in after else f'was {line!r}, is {after[name]!r}'}"
        for line in running.splitlines()
        for name in [line.partition(" | ")[0]]
        if after.get(name) != line
    ]


def _line(step: api.PTransform, parts: api.Components) -> Iterator[str]:
    yield step.unique_name
    yield step.spec.urn.removeprefix("beam:transform:")
    pardo = api.ParDoPayload.FromString(step.spec.payload) if step.spec.urn == "beam:transform:pardo:v1" else api.ParDoPayload()
    states = [f"state {name} {_coder(spec.read_modify_write_spec.coder_id, parts)}" for name, spec in sorted(pardo.state_specs.items())]
    timers = [f"timer {name}" for name in sorted(pardo.timer_family_specs)]
    yield ", ".join([*states, *timers, *(f"side input {name}" for name in sorted(pardo.side_inputs))])
    if pardo.state_specs or "group_by_key" in step.spec.urn:
        yield ", ".join(_travels(parts.pcollections[name], parts) for _, name in sorted(step.inputs.items()))


def _travels(elements: api.PCollection, parts: api.Components) -> str:
    windowing = parts.windowing_strategies[elements.windowing_strategy_id]
    return f"{_coder(elements.coder_id, parts)} in {windowing.window_fn.urn.removeprefix('beam:window_fn:')}"


def _coder(name: str, parts: api.Components) -> str:
    coder = parts.coders[name]
    inner = ", ".join(_coder(one, parts) for one in coder.component_coder_ids)
    urn = coder.spec.urn.removeprefix("beam:coder:")
    kind = type(PipelineContext(parts).coders.get_by_id(name)).__name__ if urn == "pickled_python:v1" else urn
    return f"{kind}({inner})" if inner else kind
