"""Runs the benchmark `signatures`: what it costs to sign a batch at the gateway, and to check it in the pipeline.

The pipeline is that of `facts`, on the same export file with signed batches of ten rows: with the check, and without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import beams
from bench.figures import Figure, Log, by_turns, figure
from bench.messages import Workload
from bench.rows import UNIT, pipeline_speed
from lab.world.named_keys import agreed_key
from schemas.envelope import Envelope, entries

COMMAND = "python -m bench signatures"
BATCH_ROWS = 10
PROMISED_MICROSECONDS = 50.0
"""Signing a batch may take so long."""


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many rows each run takes, how many batches are signed, and how many runs count."""

    rows: int
    signed: int
    turns: int


FULL = Size(rows=200_000, signed=20_000, turns=7)
QUICK = Size(rows=2_000, signed=200, turns=1)


def signatures(folder: Path, size: Size, log: Log) -> list[Figure]:
    load = Workload(folder, size.rows, BATCH_ROWS)
    checked, unchecked = "with the check", "without it"
    subjects = {checked: pipeline_speed(beams.facts_of_signed, load), unchecked: pipeline_speed(beams.facts_only, load)}
    speeds = by_turns(subjects, size.turns, log)
    sign = by_turns({"a signature": _signing(load.export_file(), size.signed)}, size.turns, log)["a signature"]
    return [
        figure(f"signatures: {BATCH_ROWS} rows a batch, checked, against not", speeds[checked], UNIT, speeds[unchecked], COMMAND),
        figure("signatures: signing a batch at the gateway, against what is promised", sign, "us", PROMISED_MICROSECONDS, COMMAND),
    ]


def _signing(export_file: Path, count: int) -> Callable[[], float]:
    """Returns a run that signs batches, and measures the microseconds of processor time that one takes."""
    with export_file.open("rb") as file:
        attributes, body = next(each for each in entries(file) if not isinstance(each, bytes))
    envelope = Envelope.parse(attributes)
    key = agreed_key(envelope.gateway_id)

    def run() -> float:
        begin = time.process_time()
        for _ in range(count):
            key.signature(envelope.attributes(), body)
        return (time.process_time() - begin) / count * 1e6

    return run
