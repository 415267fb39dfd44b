"""Runs the benchmark `paced`: what a message costs a gateway at the rates that people have, in processor time, beside Telegraf.

Both run at once and get the same messages, each with a broker and an output of its own. What a gateway does when nothing comes is in it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Log, figure
from bench.gateways.stand import Stand
from bench.losses import subjects

COMMAND = "python -m bench paced"
_STEP_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Size:
    """Says which rates are measured, in messages a second, each for how many seconds."""

    paces: Sequence[tuple[int, float]]
    start_seconds: float = 6.0


FULL = Size(((1, 60.0), (10, 40.0), (100, 30.0), (1000, 20.0)))
QUICK = Size(((10, 2.0), (100, 2.0)), start_seconds=4.0)


def paced(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures TinyBeam, and Telegraf by its defaults where it can be had."""
    found, missing = subjects(folder.parent / "bin", log, COMMAND)
    with tempfile.TemporaryDirectory(dir=folder) as place, ExitStack() as stack:
        stands = [stack.enter_context(Stand(each, Path(place) / str(at), size.start_seconds)) for at, each in enumerate(found[:2])]
        rows, sent = [], 0
        for rate, seconds in size.paces:
            sent, costs = _pace(stands, rate, seconds, sent)
            log(f"{rate} messages a second: " + ", ".join(f"{each.name} {cost:,.0f} us" for each, cost in zip(found, costs, strict=False)))
            baseline = costs[1] if len(costs) > 1 else None
            rows.append(figure(f"paced: a message at {rate:,} a second, against Telegraf", costs[0], "us", baseline, COMMAND))
    return rows + missing


def _pace(stands: Sequence[Stand], rate: int, seconds: float, first: int) -> tuple[int, list[float]]:
    """Returns how many were sent in all, and the microseconds of processor time for a message of each gateway."""
    before, begin, sent = [each.cpu_seconds() for each in stands], time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        due = int(elapsed * rate) - sent
        for stand in stands if due else ():
            stand.publish(first + sent, due)
        sent += due
        time.sleep(_STEP_SECONDS)
    used = [each.cpu_seconds() - was for each, was in zip(stands, before, strict=True)]
    return first + sent, [1e6 * each / sent for each in used]
