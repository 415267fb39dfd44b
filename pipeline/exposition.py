"""Writes what the pipeline counts as Prometheus reads it: names of the engine's metrics, with what stands behind their slash as a label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.counts import METRICS
from program.exposition import Sample, family

_PREFIX = "tinybeam_pipeline_"


@dataclass(frozen=True, slots=True)
class Ages:
    """Says how old batches were when they were decoded, in seconds: their number, the sum and the greatest."""

    count: int = 0
    sum: int = 0
    max: int = 0


def exposition(counters: Mapping[str, int], ages: Ages) -> str:
    """Returns the text for counters by their names in the engine, such as `rows/events_v1`, and for batch_age_seconds."""
    return "".join(_lines(counters, ages))


def _lines(counters: Mapping[str, int], ages: Ages) -> Iterator[str]:
    for declared, (kind, meaning) in METRICS.items():
        name, _, label = declared.partition("/")
        if kind == "counter":
            yield from family(f"{_PREFIX}{name}_total", "counter", meaning, _samples(counters, name, label.lower()))
        else:
            yield from family(f"{_PREFIX}{name}_sum", "counter", f"{meaning}: the sum", [({}, ages.sum)])
            yield from family(f"{_PREFIX}{name}_count", "counter", f"{meaning}: their number", [({}, ages.count)])
            yield from family(f"{_PREFIX}{name}_max", "gauge", f"{meaning}: the greatest since the start", [({}, ages.max)])


def _samples(counters: Mapping[str, int], name: str, label: str) -> Iterator[Sample]:
    if not label:
        yield {}, counters.get(name, 0)
        return
    for counter, value in sorted(counters.items()):
        if counter.startswith(f"{name}/"):
            yield {label: counter.partition("/")[2]}, value
