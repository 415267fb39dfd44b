"""Each batch comes up to five times, in any order over thirty days, and the pipeline forgets in the middle: the view shows it once."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from lab.acts.analyst import empty
from pipeline.known_batches import KnownBatches

BATCHES, GATEWAYS, DAYS = 100_000, 40, 30
BUNDLE = 2_000
BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 1)


def deliveries(rng: random.Random) -> list[int]:
    """Numbers of batches in the order in which they come."""
    came = [(rng.random(), batch) for batch in range(BATCHES) for _ in range(rng.randint(1, 5))]
    return [batch for _, batch in sorted(came)]


def let_through(came: list[int]) -> Iterator[int]:
    """What a pipeline takes for new, which starts without a memory at half of it. Its state is packed between bundles."""
    for run in (came[: len(came) // 2], came[len(came) // 2 :]):
        packed = None
        for at in range(0, len(run), BUNDLE):
            known = KnownBatches(packed)
            yield from (batch for batch in run[at : at + BUNDLE] if known.add(f"gw{batch % GATEWAYS}", 1, batch // GATEWAYS + 1))
            packed = known.pack()


def load(client: bigquery.Client, batches: list[int]) -> None:
    """An event of each."""
    names = [f"gw{batch % GATEWAYS}:1:{batch // GATEWAYS + 1}" for batch in batches]
    times = pa.array([BEGIN + timedelta(seconds=25 * batch) for batch in batches], pa.timestamp("us", "UTC"))
    gateways, count = [name.split(":")[0] for name in names], len(batches)
    events = {
        "batch_id": names,
        "row": pa.array([0] * count, pa.int64()),
        "gateway_id": gateways,
        "received_time": times,
        "device_id": gateways,
        "event_time": times,
        "value": pa.array([0.0] * count),
        **{name: [name] * count for name in ("cause", "rule", "state", "severity", "time_quality")},
    }
    file = io.BytesIO()
    pq.write_table(pa.table(events), file)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    client.load_table_from_file(file, "tinybeam.events_v1", rewind=True, job_config=config).result()


def test_of_100_000_batches_the_view_shows_each_once(applied: bigquery.Client) -> None:
    seed = random.randrange(2**32)
    written = list(let_through(deliveries(random.Random(seed))))
    assert BATCHES < len(written) < 2 * BATCHES, f"seed {seed}: only the restart lets repeats through"
    load(applied, written)
    try:
        [row] = applied.query_and_wait("select count(*) as shown, count(distinct batch_id) as batches from tinybeam.events")
        [stored] = applied.query_and_wait("select count(*) as n from tinybeam.events_v1")
        assert (stored.n, row.shown, row.batches) == (len(written), BATCHES, BATCHES), f"seed {seed}"
    finally:
        empty(applied)
