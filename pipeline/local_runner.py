"""Beam's runner for streaming on one machine, which remembers what arguments and states the methods of a DoFn have, and counts each bundle.

BundleBasedDirectRunner inspects every method of every DoFn several times a bundle: nine tenths of a small flow's time. What a class's
methods take does not change while a program runs. And each of its workers keeps where a step's first bundle counted: what later ones
count goes there, too, where nobody reads it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pipeline import Pipeline
from apache_beam.runners.direct import executor, transform_evaluator
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.runners.runner import PipelineResult
from apache_beam.runners.worker import statesampler
from apache_beam.transforms import core, userstate
from apache_beam.utils.counters import CounterFactory

Arguments = tuple[list[str], list[Any]]
"""The names of a method's arguments, and the defaults of its last ones."""
Specs = tuple[set[userstate.StateSpec], set[userstate.TimerSpec]]


class LocalRunner(BundleBasedDirectRunner):
    """Runs as its base does: `--runner=pipeline.local_runner.LocalRunner --streaming`."""

    def run_pipeline(self, pipeline: Pipeline, options: PipelineOptions) -> PipelineResult:
        for owner, name, ours in _REPLACED:
            setattr(owner, name, ours)
        return super().run_pipeline(pipeline, options)


def arguments_once(inspect: Callable[[Any, str], Arguments]) -> Callable[[Any, str], Arguments]:
    """Returns a function like Beam's get_function_arguments that inspects each method once."""
    known: WeakKeyDictionary[FunctionType, Arguments] = WeakKeyDictionary()

    def arguments(of: Any, name: str) -> Arguments:
        function = getattr(getattr(of, name), "__func__", None)
        if function is None or hasattr(of, f"_inspect_{name}"):
            return inspect(of, name)
        if function not in known:
            known[function] = inspect(of, name)
        return known[function]

    return arguments


def specs_once(inspect: Callable[[core.DoFn], Specs]) -> Callable[[core.DoFn], Specs]:
    """Returns a function like Beam's get_dofn_specs that inspects each class once. A DoFn that wraps a method is a class of its own."""
    known: WeakKeyDictionary[type, Specs] = WeakKeyDictionary()

    def specs(of: core.DoFn) -> Specs:
        if any(isinstance(value, MethodType) for value in vars(of).values()):
            return inspect(of)
        if type(of) not in known:
            known[type(of)] = inspect(of)
        return known[type(of)]

    return specs


def counted_apart(call: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Returns a method like Beam's TransformExecutor.call that has each bundle count by a sampler of its own, not by its worker's."""

    @wraps(call)
    def call_alone(bundle: Any, _: Any) -> None:
        sampler = statesampler.StateSampler("", CounterFactory())
        statesampler.set_current_tracker(sampler)
        call(bundle, sampler)

    return call_alone


_arguments = arguments_once(core.get_function_arguments)
_specs = specs_once(userstate.get_dofn_specs)
_REPLACED: list[tuple[Any, str, Callable[..., Any]]] = [
    (core, "get_function_arguments", _arguments),
    (userstate, "get_dofn_specs", _specs),
    (transform_evaluator, "get_dofn_specs", _specs),
    (executor.TransformExecutor, "call", counted_apart(executor.TransformExecutor.call)),
]
"""Whose functions are replaced, and by what."""
