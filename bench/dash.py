"""Runs the benchmark `dash`: how long each page of `tinybeam dash` waits for a warehouse of ten million summaries.

A page is cold when nothing of it is kept, and warm when somebody opened it within the seconds for which answers are kept. The head that
each page has is a part of it. Both stand beside what is promised. On a machine with other work the warehouse's processor time says more
than the clock: it is there, too, and so are the bytes that the warehouse says it read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.farm import Farm, device_of, fill, site_of
from bench.figures import Figure, Log, figure
from bench.processes import children, cpu_seconds
from dash.data import alerts, cost, fields, fleet, machines, models, today, trust
from dash.data.span import Span
from dash.data.viewer import Viewer
from dash.data.warehouse import Questions, Warehouse
from dash.pages.catalogue import PAGES
from dash.server.head import ahead, head
from dash.server.sign_in import Person
from lab.services.stack import Warehouse as WarehouseServer
from lab.witness import delivered

COMMAND = "python -m bench dash"
PROMISED_COLD, PROMISED_WARM = 3.0, 1.0
_KEEP_SECONDS = 600.0
_PLANT = 2
_MONTH, _FORTNIGHT, _WEEK = timedelta(days=30), timedelta(days=14), timedelta(days=7)
_SOMEBODY = Person(None, Viewer(), answers=False)


@dataclass(frozen=True, slots=True)
class Size:
    """Says how large the farm is, and how often each page is opened cold and warm."""

    sites: int
    devices: int
    days: int
    turns: int


FULL = Size(sites=90, devices=20, days=30, turns=3)
QUICK = Size(sites=3, devices=2, days=2, turns=1)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a page took once: seconds by the clock, cold and warm, and of the cold one the warehouse's processor seconds and bytes read."""

    cold: float
    warm: float
    processor: float
    read: float

    def __str__(self) -> str:
        waits = f"{self.cold:.2f} s cold, {self.warm:.2f} s warm"
        return f"{waits}, {self.processor:.2f} s of the warehouse's processors, {self.read / 1e6:,.0f} MB read"


def dash(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures every page. Raises StartFailed when the warehouse does not start."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    farm = Farm(size.sites, size.devices, size.days, midnight)
    with TemporaryDirectory(dir=folder) as directory, WarehouseServer(Path(directory)) as server:
        client = delivered.connect(server)
        fill(client, farm, log)
        log(f"{farm.summaries:,} summaries")
        pages = _pages(midnight + timedelta(minutes=5))
        openings = {name: _opened(lambda: Warehouse(client, _KEEP_SECONDS), page, server.pid, size.turns) for name, page in pages.items()}
    for name, opening in openings.items():
        log(f"{name}: {opening}")
    return [each for name, opening in openings.items() for each in _figures(name, opening)]


def _pages(now: datetime) -> Mapping[str, Callable[[Questions], object]]:
    """Returns what each page asks for, over its usual span, with its head."""
    month, fortnight, week, day = (Span(now - length, now) for length in (_MONTH, _FORTNIGHT, _WEEK, timedelta(days=1)))
    pages: Mapping[str, Callable[[Questions], object]] = {
        "today": lambda questions: today.read(questions, now),
        "a field, a day": lambda questions: fields.read(questions, site_of(0), day),
        "a field, a month": lambda questions: fields.read(questions, site_of(0), month),
        "machines": lambda questions: machines.overview(questions, now),
        "a machine, a month": lambda questions: machines.read(questions, device_of(_PLANT, 0), month),
        "alerts, a month": lambda questions: alerts.read(questions, month),
        "fleet": lambda questions: fleet.read(questions, now),
        "data trust, a week": lambda questions: trust.read(questions, week),
        "data trust, a month": lambda questions: trust.read(questions, month),
        "models, a fortnight": lambda questions: models.read(questions, now, fortnight),
        "cost, a month": lambda questions: cost.read(questions, month),
        "releases compared, a week": lambda questions: (models.health(questions, week), models.outcomes(questions, week)),
    }
    return {name: partial(_with_its_head, page, now) for name, page in pages.items()}


def _with_its_head(page: Callable[[Questions], object], now: datetime, questions: Questions) -> None:
    ahead(questions, now)
    page(questions)
    head(questions, now, PAGES[0], _SOMEBODY)


def _opened(warehouse: Callable[[], Warehouse], page: Callable[[Questions], object], pid: int, turns: int) -> Opening:
    """Returns medians of several turns, after one that is not counted."""
    openings = [_once(warehouse(), page, pid) for _ in range(turns + 1)][1:]
    return Opening(*(median(getattr(each, name) for each in openings) for name in ("cold", "warm", "processor", "read")))


def _once(warehouse: Warehouse, page: Callable[[Questions], object], pid: int) -> Opening:
    spent = _processor_seconds(pid)
    cold = _seconds(lambda: page(warehouse.asked_by(Viewer())))
    spent = _processor_seconds(pid) - spent
    if (read := warehouse.bytes_read) is None:
        raise RuntimeError("the warehouse does not say what it read")
    return Opening(cold, _seconds(lambda: page(warehouse.asked_by(Viewer()))), spent, read)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def _processor_seconds(pid: int) -> float:
    return sum(map(cpu_seconds, (pid, *children(pid))))


def _figures(name: str, opening: Opening) -> list[Figure]:
    return [
        figure(f"dash: {name}, cold", opening.cold, "s", PROMISED_COLD, COMMAND),
        figure(f"dash: {name}, warm", opening.warm, "s", PROMISED_WARM, COMMAND),
        figure(f"dash: {name}, cold, of the warehouse's processors", opening.processor, "s", None, COMMAND),
        figure(f"dash: {name}, read", opening.read / 1e6, "MB", None, COMMAND),
    ]
