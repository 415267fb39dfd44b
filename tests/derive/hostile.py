"""Makes a hostile month in miniature: rows of two sites as several gateways heard them, and what runs say that saw parts of them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from google.cloud import bigquery

from pipeline.elements import RowGroup
from pipeline.rollup import marks
from pipeline.rollup.stats import row
from schemas.intervals import IntervalSet
from schemas.records import Summary, Timing
from schemas.warehouse import ALL_TIME, DATASET
from tests.pipeline.bodies import grouped, summary
from tests.pipeline.rollup import heard
from tests.pipeline.rollup.reference import Heard, described, rolled_up

MONTH = datetime(2026, 5, 1, tzinfo=UTC)
SITES = {"d1": "north", "d2": "north", "d3": "south"}
CELLS = ("count", "sum", "m2", "min", "max", "summaries")

Window = tuple[str, str, int, datetime]
"""Site, unit, length in seconds, start."""


def month(rng: random.Random, rows: int = 400) -> list[Heard]:
    """Rows of a few hours of a month: minutes and held windows, late ones, two units, up to three gateways that hear the same and not."""
    hours = [int((MONTH + timedelta(days=day, hours=hour)).timestamp()) for day, hour in ((0, 0), (0, 1), (3, 23), (11, 5), (29, 12))]
    made: dict[Heard, None] = {}
    while len(made) < rows:
        seconds = rng.choice([*[60] * 12, 30, 30, 90, 300, 1200])
        number = rng.randrange(0 if seconds <= 60 else 2400 // seconds, 3600 // seconds)
        values = tuple(round(rng.gauss(20, 9), 3) for _ in range(rng.randint(1, 4)))
        made[
            Heard(
                gateway=rng.choice(["gw1", "gw1", "gw2", "gw3"]),
                device=rng.choice(list(SITES)),
                unit=rng.choice(["degC", "degC", "degC", "K"]),
                start=rng.choice(hours) + number * seconds,
                seconds=seconds,
                numbers=tuple(sorted({number * 5 + rng.randrange(6) for _ in values})) if rng.random() < 0.9 else (),
                values=values,
            )
        ] = None
    return list(made)


def truth(rows: Iterable[Heard]) -> dict[Window, tuple[float, ...]]:
    """Every window of every site, from the values themselves."""
    by_site: dict[str, list[Heard]] = defaultdict(list)
    for one in rows:
        by_site[SITES[one.device]].append(one)
    return {
        (site_id, unit, seconds, datetime.fromtimestamp(start, UTC)): cells
        for site_id, of_site in by_site.items()
        for (unit, seconds, start), cells in rolled_up(of_site).items()
    }


def batches(rows: Sequence[Heard]) -> dict[Heard, RowGroup]:
    """Each row as a batch of its own, named once for all runs."""
    return {one: _batch(seq, one) for seq, one in enumerate(rows, 1)}


def _batch(seq: int, one: Heard) -> RowGroup:
    row_group = grouped([_summary(one)], gateway_id=one.gateway, seq=seq)
    return row_group.with_rows(row_group.rows.append_column("site_id", pa.array([SITES[one.device]])))


def _summary(one: Heard) -> Summary:
    count, total, m2, low, high = described([one])
    return summary(
        one.device,
        datetime.fromtimestamp(one.start, UTC),
        unit=one.unit,
        window_seconds=one.seconds,
        count=count,
        sum=total,
        m2=m2,
        min=low,
        max=high,
        last=one.values[-1],
        seq_ranges=IntervalSet.of(one.numbers).flat(),
    )


def stored(client: bigquery.Client, row_groups: Iterable[RowGroup]) -> None:
    """Facts, as a run appends them."""
    columns = [name for name in asdict(summary()) if name != "extras"]
    names = ["batch_id", "row", "gateway_id", "site_id", "received_time", *columns]
    _load(client, "summaries_v1", [values for one in row_groups for values in one.rows.select(names).to_pylist()])


def rolled_up_by_a_run(client: bigquery.Client, row_groups: Sequence[RowGroup], now: datetime, rng: random.Random) -> None:
    """What a run of the pipeline says that saw these batches and no others, and the hours that it marks."""
    windows = [row(key, window, 0, Timing.BATCH, now) for key, hour in heard.hours(row_groups, rng).items() for window in hour.windows]
    hours = {site_hour: batch_id for one in row_groups for site_hour, batch_id in marks.site_hours(one)}
    _load(client, "site_windows_v1", windows)
    _load(client, "dirty_windows_v1", [marks.mark(site_hour, batch_id, now) for site_hour, batch_id in hours.items()])


def shown(client: bigquery.Client) -> dict[Window, tuple[float, ...]]:
    """What people see."""
    rows = client.query_and_wait(f"select * from {DATASET}.site_windows_between({ALL_TIME})")
    found = [((one["site_id"], one["unit"], one["window_seconds"], one["window_start"]), one) for one in rows]
    assert len({window for window, _ in found}) == len(found), "a window is one row"
    return {window: tuple(one[cell] for cell in CELLS) for window, one in found}


def _load(client: bigquery.Client, table: str, rows: list[dict[str, Any]]) -> None:
    plain = [{name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()} for values in rows]
    config = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    client.load_table_from_json(plain, f"{DATASET}.{table}", job_config=config).result()
