"""A release of the pipeline understands nothing for half a day, then it is mended, and what it set aside is replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pyarrow as pa

from lab.drills import engine, scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, REGISTRY, SOUTH, TEN_MINUTES, probe
from lab.drills.stage import moments
from lab.world.named_keys import pipeline_flag
from pipeline import body
from pipeline.body import Content
from schemas.warehouse import ALL_TIME

NAME = "bad-deploy"
STORY = "A release sets half a day aside; mended, `tinybeam rejects replay` brings all of it in, each row once, however often it runs."

BAD_FROM, _MENDED = BEGIN + timedelta(hours=6), BEGIN + timedelta(hours=18)
_END = BEGIN + timedelta(days=1)
_TABLES = ("summaries_v1", "events_v1", "heartbeats_v1", "batches_v1", "site_windows_v1", "dirty_windows_v1", "alerts_v1", "replays_v1")


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH, SOUTH), probe(3, SOUTH))
    stage.power_on(BEGIN)
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END)
    with bad_release(engine.simulated_clock):
        scenery.stream(ground, moments(arrivals, timedelta(hours=1)))
    aside = _count(ground, "rejects_v1")
    _replay(ground, "replay")
    once = _counts(ground)
    _replay(ground, "replay-again")
    unchanged = _counts(ground) == once
    scenery.recompute(ground)
    return judged(
        ground,
        stage.log,
        scenery.site_of,
        {
            "half a day was set aside": aside > 0,
            "every batch is there": _one(ground, "select count(distinct batch_id) as n from tinybeam.batches_v1")
            == sum(len(messages) for _, messages in arrivals),
            "all of it is marked as replayed": _one(ground, f"select countif(rows_left = 0) as n from tinybeam.rejects_between({ALL_TIME})")
            == aside,
            "a second replay adds no row to any table": unchanged,
        },
    )


@contextmanager
def bad_release(clock: Callable[[], datetime]) -> Iterator[None]:
    """Puts a fault into the pipeline's decoding: it fails for what arrives in half a day."""
    sound = body.read_together

    def faulty(contents: Sequence[Content], counts: Sequence[int]) -> pa.RecordBatch:
        if BAD_FROM <= clock() < _MENDED:
            raise RuntimeError("a release with a fault")
        return sound(contents, counts)

    body.read_together = faulty
    try:
        yield
    finally:
        body.read_together = sound


def _replay(ground: Ground, name: str) -> None:
    words = "rejects", "replay", "--from", f"{BEGIN:%Y-%m-%d}", "--registry", str(REGISTRY), pipeline_flag(ground.directory)
    scenery.run(ground, name, *words)


def _counts(ground: Ground) -> list[int]:
    return [_count(ground, table) for table in _TABLES]


def _count(ground: Ground, table: str) -> int:
    return _one(ground, f"select count(*) as n from tinybeam.{table}")


def _one(ground: Ground, sql: str) -> int:
    return int(next(iter(ground.client.query_and_wait(sql))).n)
