"""Reads what a batch shows of its gateway: who was heard when, and until when everything was delivered. Vectorised, pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.assign_sites import by_batch
from pipeline.elements import RowGroup
from schemas.envelope import micros
from schemas.records import Kind, LinkState

_LARGEST_OFFSET = timedelta(days=3660) / timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Says of the gateway what silence is judged by. Times in microseconds, as the gateway's own clock has them."""

    time: int
    started: int
    broker_online: bool
    """True also for a connection that was lost a moment ago, if the gateway says that it listens all the same."""
    dropped: int = 0
    """How many batches it lost so far for want of room."""
    oldest_pending: int | None = None
    listening_since: int | None = None
    """Since when it hears without interruption; None of a gateway that does not say so, or whose broker is offline."""

    @property
    def complete(self) -> int | None:
        """Returns until when everything was cut that is delivered; None if that is not known, for its clock went back meanwhile."""
        pending = self.time if self.oldest_pending is None else self.oldest_pending
        return pending if pending <= self.time else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReport:
    """Says what one batch shows of its gateway. Times in microseconds."""

    gateway_id: str
    received: int
    epoch: int
    seq: int
    devices: dict[str, tuple[int, str]]
    """Device -> when the gateway received the latest reading of it, by its own clock, and the site."""
    heartbeat: Heartbeat | None = None


def gateway_reports(row_group: RowGroup) -> Iterator[GatewayReport]:
    """Reports on each batch, of whatever kind. Vectorised."""
    return map(_report, by_batch(row_group))


def _report(row_group: RowGroup) -> GatewayReport:
    kind, rows = row_group.kind, row_group.rows
    received = micros(rows.column("received_time")[0].as_py())
    epoch, seq = rows.column("batch_id")[0].as_py().split(":")[1:]
    return GatewayReport(
        gateway_id=rows.column("gateway_id")[0].as_py(),
        received=received,
        epoch=int(epoch),
        seq=int(seq),
        devices=_last_heard(rows) if kind == Kind.SUMMARIES else {},
        heartbeat=_heartbeat(rows) if kind == Kind.HEARTBEATS else None,
    )


def _last_heard(rows: pa.RecordBatch) -> dict[str, tuple[int, str]]:
    """Judges by arrival at the gateway: a sensor whose clock is behind, or that sends late, is heard when its readings come."""
    times = pc.add(rows.column("last_time").cast(pa.int64()), _offsets(rows))
    table = pa.table({"device": rows.column("device_id"), "time": times, "site": rows.column("site_id")})
    by_device = table.group_by("device").aggregate([("time", "max"), ("site", "max")])
    names, moments, sites = (by_device.column(name).to_pylist() for name in ("device", "time_max", "site_max"))
    return dict(zip(names, zip(moments, sites, strict=True), strict=True))


def _offsets(rows: pa.RecordBatch) -> pa.Array:
    """Returns how far each sensor's time is behind its arrival, in microseconds; 0 where the time is that of arrival."""
    offsets = rows.column("clock_offset_ms").fill_null(0.0)
    bounded = pc.max_element_wise(pc.min_element_wise(offsets, _LARGEST_OFFSET), -_LARGEST_OFFSET)
    return pc.multiply(bounded, 1000.0).cast(pa.int64(), safe=False)


def _heartbeat(rows: pa.RecordBatch) -> Heartbeat:
    """Returns the last heartbeat of the batch."""
    row = rows.slice(rows.num_rows - 1)
    time, started, pending, since = (
        _micros(row, name) for name in ("heartbeat_time", "started_time", "oldest_pending_time", "listening_since_time")
    )
    assert time is not None
    assert started is not None
    return Heartbeat(
        time=time,
        started=started,
        broker_online=since is not None or row.column("broker_state")[0].as_py() == LinkState.ONLINE,
        dropped=row.column("batches_dropped")[0].as_py(),
        oldest_pending=pending,
        listening_since=since,
    )


def _micros(row: pa.RecordBatch, name: str) -> int | None:
    value: int | None = row.column(name).cast(pa.int64())[0].as_py()
    return value
