"""Prices the ways from gateways to the warehouse, each by the lines of its bill. What each line rests on stands beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from costs.fleet import MONTH, Fleet, Month
from costs.prices import Prices
from costs.stored import STORED_BYTES

HOURS = MONTH / timedelta(hours=1)

BATCH_SECONDS, ROW_SECONDS = 110e-6, 4e-6
"""Processor time of the whole flow for a batch, and for each of its rows: what `python -m bench rollups` measures, rounded up."""
RESULT_SECONDS = 500e-6
"""Processor time of an hour's rollup of a site and channel, whenever it is computed: what `python -m bench scale` measures, whose gateways
have a site of their own.
"""
USED = 0.5
"""The share of a core that is counted on: the rest is for what Dataflow does itself, and for catching up."""
CORES, MEMORY, DISK = 2, 8 * 2.0**30, 30 * 2.0**30
"""Of one worker, and of a machine of one's own."""

OF_MESSAGES = ("summaries", "heartbeats", "batches")
"""The tables of what messages are, which the pipeline loads with --write_method=load."""
_MESSAGE = 40
"""Pub/Sub counts a time and a message's name with it."""
_LEAST_REQUEST = 1000
_RAW_ROW = 100
"""Logical bytes of a row that holds one reading, beside its values."""


@dataclass(frozen=True, slots=True)
class Line:
    """Is a line of a month's bill: what, how much of it in words, and USD."""

    what: str
    amount: str
    usd: float


@dataclass(frozen=True, slots=True)
class Way:
    """Is a way to the warehouse with its month's bill. `freshest` is the least age of rows that it can keep."""

    name: str
    meaning: str
    freshest: timedelta
    lines: Sequence[Line]

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Says what is asked of the warehouse: how long rows are kept, and so many queries a day over so many days."""

    kept_days: int
    queries: int
    query_days: int


def dataflow(fleet: Fleet, month: Month, prices: Prices, asked: Asked) -> Way:
    workers = math.ceil(cores(fleet, month) / USED / CORES)
    hours = workers * HOURS
    engine = [
        Line("Dataflow workers", f"{workers} of {CORES} cores, all month", _worker(prices, hours)),
        Line("Streaming Engine", _bytes(3 * month.message_bytes), prices.streaming_engine.of(3 * month.message_bytes)),
    ]
    # A file for each table of a bundle, and a bundle may be one message: its rows, and the batch's own.
    files = [_objects(2 * month.batches, prices)] if fleet.load_interval else []
    lines = [_pubsub(month, prices), *engine, *files, *_written(fleet, month, prices), *_warehouse(fleet, month, prices, asked)]
    return Way("dataflow", "a streaming job on Dataflow", _freshest(fleet), lines)


def own(fleet: Fleet, month: Month, prices: Prices, asked: Asked) -> Way:
    machines = math.ceil(cores(fleet, month) / USED / CORES)
    machine = Line("machines of one's own", f"{machines} of {CORES} cores, rented all month", prices.machine.of(machines * HOURS))
    lines = [_pubsub(month, prices), machine, *_written(fleet, month, prices), *_warehouse(fleet, month, prices, asked)]
    return Way("own", "the streaming pipeline on a rented machine", _freshest(fleet), lines)


def files(fleet: Fleet, month: Month, prices: Prices, asked: Asked) -> Way:
    hours = cores(fleet, month) / USED / CORES * HOURS + 30 * 0.1
    objects = fleet.gateways * (MONTH / timedelta(days=1))
    lines = [
        _objects(objects, prices),
        Line("the bucket", f"{_bytes(month.message_bytes)} kept for a month", prices.bucket_storage.of(month.message_bytes)),
        Line("a machine, once a day", f"{hours:,.1f} hours", prices.machine.of(hours)),
        Line("load jobs", "free", 0.0),
        *_warehouse(fleet, month, prices, asked),
    ]
    return Way("files", "export files that you copy into a bucket, loaded once a day", timedelta(days=1), lines)


def raw(fleet: Fleet, month: Month, prices: Prices, asked: Asked) -> Way:
    """Prices every reading as it is, in the way that is cheapest for that: full requests, a subscription that writes, no pipeline."""
    sent = month.raw + month.readings * _MESSAGE
    stored = month.raw + month.readings * _RAW_ROW
    lines = [
        Line("Pub/Sub", _bytes(sent), prices.pubsub.of(sent)),
        Line("subscription into BigQuery", _bytes(sent), prices.pubsub_to_bigquery.of(sent)),
        *_kept(stored, prices, asked),
    ]
    return Way("raw", "every reading as it is: no summaries, no alerts, repeats and all", timedelta(0), lines)


WAYS: dict[str, Callable[[Fleet, Month, Prices, Asked], Way]] = {"dataflow": dataflow, "own": own, "files": files}


def cores(fleet: Fleet, month: Month) -> float:
    """Returns how many cores the flow keeps busy, on the mean of the month."""
    results = fleet.gateways * HOURS * fleet.channels * _revisions(fleet)
    seconds = month.batches * BATCH_SECONDS + (month.summaries + month.heartbeats) * ROW_SECONDS + results * RESULT_SECONDS
    return seconds / MONTH.total_seconds()


def _revisions(fleet: Fleet) -> float:
    """Returns how often an hour of a site and channel is computed: with each batch of it, and once more."""
    return 1 + timedelta(hours=1) / max(fleet.batch, timedelta(minutes=1))


def stored_bytes(fleet: Fleet, month: Month) -> float:
    """Returns the logical bytes of a month's rows: facts, receipts, and rollups of one site a gateway."""
    return sum(count * STORED_BYTES[table] for table, count in rows(fleet, month).items())


def rows(fleet: Fleet, month: Month) -> dict[str, float]:
    """Returns how many rows a month brings, by table. An hour's rollup is written anew with each batch of the hour."""
    hours = fleet.gateways * HOURS
    of_hour = 60 if fleet.window <= timedelta(minutes=1) else 0
    return {
        "summaries": month.summaries,
        "heartbeats": month.heartbeats,
        "batches": month.batches,
        "site_windows": hours * fleet.channels * (of_hour + _revisions(fleet)),
        "dirty_windows": hours,
    }


def _pubsub(month: Month, prices: Prices) -> Line:
    sent = month.message_bytes + month.batches * _MESSAGE
    counted = max(sent, month.requests * _LEAST_REQUEST) + sent
    return Line("Pub/Sub", f"{_bytes(counted)}: {month.batches:,.0f} batches in {month.requests:,.0f} requests", prices.pubsub.of(counted))


def _freshest(fleet: Fleet) -> timedelta:
    return timedelta(minutes=1) + (fleet.load_interval or timedelta(0))


def _objects(count: float, prices: Prices) -> Line:
    return Line("files in a bucket", f"{count:,.0f} files a month at most", prices.bucket_writes.of(count))


def _written(fleet: Fleet, month: Month, prices: Prices) -> list[Line]:
    """Prices how the streaming pipeline writes; what follows from facts is always appended."""
    appended = {table: count for table, count in rows(fleet, month).items() if not (fleet.load_interval and table in OF_MESSAGES)}
    stored = sum(count * STORED_BYTES[table] for table, count in appended.items())
    lines = [Line("appends", _bytes(stored), prices.append.of(stored))]
    if fleet.load_interval:
        lines.append(Line("load jobs", f"free, at most {timedelta(days=1) / fleet.load_interval:,.0f} a day for a table", 0.0))
    return lines


def _warehouse(fleet: Fleet, month: Month, prices: Prices, asked: Asked) -> list[Line]:
    return _kept(stored_bytes(fleet, month), prices, asked)


def _kept(stored: float, prices: Prices, asked: Asked) -> list[Line]:
    """Prices the storage of the last month of `kept_days`, and the queries if each read every column of its days."""
    day = stored / (MONTH / timedelta(days=1))
    active, older = day * min(asked.kept_days, 90), day * max(0, asked.kept_days - 90)
    read = day * asked.query_days * asked.queries * (MONTH / timedelta(days=1))
    return [
        Line("storage", _bytes(active), prices.active_storage.of(active)),
        Line("storage, older than 90 days", _bytes(older), prices.long_term_storage.of(older)),
        Line("queries", f"{_bytes(read)}: {asked.queries} a day over {asked.query_days} days", prices.query.of(read)),
    ]


def _worker(prices: Prices, hours: float) -> float:
    return prices.dataflow_vcpu.of(CORES * hours) + prices.dataflow_memory.of(MEMORY * hours) + prices.dataflow_disk.of(DISK * hours)


def _bytes(amount: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.3g} TB"
