"""Runs the benchmark `drain`: how long what is cut waits while a backlog of a million rows goes up, as promise R8 says.

Store, sender and thread are a gateway's own; the service is a publisher that answers each request after a while, on a line of any width.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, Log, figure
from edge.store.batch import EncodedBatch
from edge.store.store import OutboxBatch, Store
from edge.uplink.worker import UplinkWorker
from program.backoff import Backoff
from schemas.records import KINDS, Kind

COMMAND = "python -m bench drain"
ROWS, BATCH_BYTES = 10, 530
"""Ten summaries, and what they take: `python -m bench batch_bytes`."""
ANSWER_SECONDS = 0.1
EVENT_SECONDS, LIVE_SECONDS, TIMES_NOMINAL = 2.0, 10.0, 20.0
"""Promise R8."""
_NOMINAL = 2.0
"""Batches a second that are cut meanwhile, an event and summaries: more than any gateway by its default settings."""
_CUT_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many batches wait, and for how many seconds more are cut."""

    batches: int
    seconds: int


FULL = Size(batches=100_000, seconds=60)
QUICK = Size(batches=500, seconds=1)


@dataclass(slots=True)
class Service:
    """Answers each request after ANSWER_SECONDS, and notes when each batch came."""

    arrived: dict[int, float] = field(default_factory=dict)

    def publish(self, batches: Sequence[OutboxBatch]) -> Future[None]:
        answer: Future[None] = Future()
        self.arrived |= dict.fromkeys((batch.envelope.seq for batch in batches), time.monotonic())
        threading.Timer(ANSWER_SECONDS, answer.set_result, [None]).start()
        return answer

    def refuses_only_this(self, _error: BaseException) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


def drain(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Cuts an event and summaries each second while the backlog goes up."""
    with (
        TemporaryDirectory(dir=folder) as place,
        closing(Store(Path(place) / "store.db", "gw-bench", 512 << 20)) as store,
    ):
        for begin in range(0, size.batches, _CUT_AT_ONCE):
            _cut(store, *[Kind.SUMMARIES] * min(_CUT_AT_ONCE, size.batches - begin))
        log(f"{size.batches} batches of {ROWS} rows wait")
        return _measured(store, size)


def _measured(store: Store, size: Size) -> list[Figure]:
    service, began, cut_at = Service(), time.monotonic(), dict[int, tuple[Kind, float]]()
    uplink = UplinkWorker(store, service, backoff=Backoff())
    uplink.start()
    while time.monotonic() - began < size.seconds:
        event, summaries = _cut(store, Kind.EVENTS, Kind.SUMMARIES)
        cut_at |= {event: (Kind.EVENTS, time.monotonic()), summaries: (Kind.SUMMARIES, time.monotonic())}
        uplink.wake()
        time.sleep(2 / _NOMINAL)
    waited = time.monotonic() - began
    gone = sum(seq <= size.batches for seq in service.arrived)
    uplink.stop(LIVE_SECONDS)
    waits = {
        kind: max(service.arrived.get(seq, float("inf")) - at for seq, (of, at) in cut_at.items() if of == kind)
        for kind in (Kind.EVENTS, Kind.SUMMARIES)
    }
    behind = f"behind {size.batches * ROWS:,} rows"
    return [
        figure(f"drain: an event {behind}, at most", waits[Kind.EVENTS], "s", EVENT_SECONDS, COMMAND),
        figure(f"drain: live summaries {behind}, at most", waits[Kind.SUMMARIES], "s", LIVE_SECONDS, COMMAND),
        figure("drain: the backlog meanwhile", gone / waited, "batches/s", TIMES_NOMINAL * _NOMINAL, COMMAND),
    ]


def _cut(store: Store, *kinds: Kind) -> list[int]:
    now = datetime.now(UTC)
    batches = [
        EncodedBatch(
            kind=kind,
            row_count=ROWS,
            body=bytes(BATCH_BYTES),
            raw_bytes=ROWS * BATCH_BYTES,
            priority=KINDS[kind].priority,
            time_min=now,
            time_max=now,
        )
        for kind in kinds
    ]
    return [envelope.seq for envelope in store.cut(batches, now)]
