"""Makes rolled-up results of summaries for tests, as the engine would: pieces in any order, merged in bundles of any size."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline.elements import RowGroup
from pipeline.rollup.partials import Partials, merge, partials
from pipeline.rollup.results import HourResults, results
from pipeline.rollup.stats import Key, Stats
from schemas.records import Summary
from tests.pipeline.bodies import grouped, with_sites


def by(gateway_id: str, seq: int, rows: Sequence[Summary], **changes: Any) -> RowGroup:
    """Rows of one batch."""
    return with_sites(list(rows), gateway_id=gateway_id, seq=seq, **changes)


def at_south(gateway_id: str, seq: int, rows: Sequence[Summary]) -> RowGroup:
    """Rows of one batch of devices that all stand at one site."""
    row_group = grouped(list(rows), gateway_id=gateway_id, seq=seq)
    return row_group.with_rows(row_group.rows.append_column("site_id", pa.array(["south"] * len(rows))))


def merged(row_groups: Sequence[RowGroup], rng: random.Random | None = None) -> dict[Key, Partials]:
    rng = rng or random.Random(0)
    pieces = [piece for one in row_groups for piece in partials(one)]
    rng.shuffle(pieces)
    bundles: list[dict[Key, list[Partials]]] = [defaultdict(list) for _ in range(rng.randint(1, 4))]
    for key, heard in pieces:
        rng.choice(bundles)[key].append(Partials.unpack(heard.pack()))
    together: dict[Key, list[Partials]] = defaultdict(list)
    for bundle in bundles:
        for key, several in bundle.items():
            together[key].append(merge(several))
    return {key: merge(several) for key, several in together.items()}


def hours(row_groups: Sequence[RowGroup], rng: random.Random | None = None) -> dict[Key, HourResults]:
    return {key: results(key, heard) for key, heard in merged(row_groups, rng).items()}


def windows(row_groups: Sequence[RowGroup], rng: random.Random | None = None) -> dict[tuple[Key, int, int], Stats]:
    """Every window that has values, by key, length and start."""
    found = hours(row_groups, rng).items()
    return {(key, seconds, start): stats for key, hour in found for seconds, start, stats in hour.windows if stats.count}
