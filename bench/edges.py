"""Runs the benchmarks `gateway`, `batch_bytes` and `uplink_bytes` for `python -m bench`; each is a program of its own, too."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import batch_bytes as batches
from bench import uplink_bytes as uplink
from bench.figures import Figure, Log, read
from program.child import python_module


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many messages a run of the gateway and of its baseline takes, how many rounds, how many hours and summaries."""

    messages: int
    baseline_messages: int
    rounds: int
    hours: int
    rows: int
    """Summaries that are encoded."""


FULL = Size(200_000, 2_000, 3, 24, 6_000)
QUICK = Size(2_000, 200, 1, 2, 500)


def gateway(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures in a process of its own, whose cores can be pinned. Raises CalledProcessError."""
    result = folder / "gateway.json"
    counts = [f"--messages={size.messages}", f"--baseline_messages={size.baseline_messages}", f"--rounds={size.rounds}"]
    subprocess.run(python_module("bench.gateway", *counts, f"--result={result}"), check=True)
    return read(result)


def batch_bytes(folder: Path, size: Size, log: Log) -> list[Figure]:
    return list(batches.figures(size.rows))


def uplink_bytes(folder: Path, size: Size, log: Log) -> list[Figure]:
    return [Figure(**row) for row in uplink.figures(size.hours)]
