"""Plays the loop: a season by the shipped model, a successor that the fields taught, its release to some and to all, and two bad releases.

The second season says what came of it: figures are of sites that had no part in training, in a season that came after it. A successor
that is no better is refused; then the loop ends with the season that taught it, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lab.acts.analyst import prepare
from lab.acts.reconciliation import Reconciliation
from lab.console import Console
from lab.folder import emptied
from lab.loop import report
from lab.loop.growth import growing
from lab.loop.outcome import outcome
from lab.loop.processes import pool
from lab.loop.publisher import Publisher
from lab.loop.result import FILE, Result, Size
from lab.loop.seasons import SETTLED, FirstSeason, SecondSeason
from lab.loop.stretch import Farm
from lab.loop.world import DAYS, Plan, plans, write_registry
from lab.services.stack import StartFailed, Warehouse
from lab.witness import delivered
from releases.error import ReleaseError
from schemas.registry import Registry
from training.soil.metrics import line

_FIRST_SEASON = timedelta(days=500)


def loop(directory: Path, seed: int, console: Console) -> bool:
    """Runs all of it at its full size. Returns whether the result is sound. Raises StartFailed."""
    try:
        return run(directory, Size(), seed, console).sound
    except ReleaseError as error:
        raise StartFailed(str(error)) from error


def run(directory: Path, size: Size, seed: int, console: Console) -> Result:
    """Runs all of it; logs, summary.json and report.html are in `directory`. Raises StartFailed and ReleaseError."""
    planned = plans(size.farms, size.fields_each, 2, seed)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = today - _FIRST_SEASON, today - timedelta(days=DAYS) - SETTLED
    with (
        pool() as processes,
        growing(planned, len(begins), processes) as fields,
        _farm(directory, planned, begins, processes, console) as farm,
    ):
        console.title("A season by the shipped model, in climates that it was not trained on")
        first = FirstSeason(farm, fields, begins[0], size)
        first.play()
        console.title("What the fields showed teaches a successor")
        first.teach()
        second = SecondSeason(farm, fields, begins[1], first)
        if not first.gate.refusals:
            console.title("The next season: the successor on some gateways, then on all; and two bad releases")
            second.play()
        result = outcome(farm, first, second, today)
    result.save(directory / FILE)
    console.title("What came of it")
    console.show("\n".join(line(name, metrics) for name, metrics in (result.metrics or result.gate).items()))
    if result.refusals:
        console.show(f"the successor was refused: {'; '.join(result.refusals)}")
    console.show(f"summary: {directory / FILE}\nreport: {report.write(directory, result)}")
    return result


@contextmanager
def _farm(
    directory: Path, planned: list[Plan], begins: Sequence[datetime], processes: ProcessPoolExecutor, console: Console
) -> Iterator[Farm]:
    """Yields the farm while its warehouse still gets its tables."""
    with Warehouse(emptied(directory)) as warehouse, ThreadPoolExecutor(1) as thread:
        registry = write_registry(directory, planned, begins)
        client = delivered.connect(warehouse)
        tables = thread.submit(prepare, client, Registry.load(registry), lambda _: None)
        publisher = Publisher.founded(directory, begins[0])
        publisher.publish(begins[0])
        console.log(f"{len(planned)} fields, and the keys of three who release models")
        yield Farm(directory, registry, warehouse, tables, processes, publisher, Reconciliation(client, begins[0]), console)
