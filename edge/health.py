"""Serves the gateway's health: /healthz as JSON and /metrics for Prometheus, from the latest heartbeat."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from edge.uplink.allowance import DayBytes
from program.bounded_server import Answer, BoundedServer, answers_to_get
from program.exposition import CONTENT_TYPE, family
from schemas.arrow import columns
from schemas.envelope import micros
from schemas.records import Heartbeat, LinkState, TimeQuality

_COUNTERS = ("readings_", "devices_forgotten", "batches_cut", "batches_confirmed", "batches_dropped", "batches_thinned")


@dataclass(frozen=True, slots=True)
class HttpTraffic:
    """Says how many connections are open to [http], and how many requests were answered, by status."""

    connections: int = 0
    answers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """Holds the state of the process at a moment. While it is `full` it does not acknowledge readings, for want of room."""

    heartbeat: Heartbeat
    full: bool = False
    uplink_day: DayBytes | None = None
    """What has gone of the day's bytes, where uplink.limits bounds them."""
    http: HttpTraffic | None = None


def healthz(status: HealthStatus | None, age: float) -> tuple[int, Mapping[str, Any]]:
    """Returns status and answer, by a report of that age in seconds.

    Unhealthy is a gateway without a report for 30 seconds or without room; being offline is no illness.
    """
    if status is None:
        return 503, {"status": "starting"}
    state = "full" if status.full else "stuck" if age > 30 else "ok"
    beat = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(status.heartbeat).items()}
    return (200 if state == "ok" else 503), {"status": state, **beat}


def exposition(status: HealthStatus | None, *, plain: bool = False) -> str:
    """Writes Prometheus text format 0.0.4, with the descriptions of the heartbeat's columns. `plain`: readings come without TLS."""
    if status is None:
        return ""
    lines = [
        line for column in columns(Heartbeat) for line in _metric(column.name, column.doc.text, getattr(status.heartbeat, column.name))
    ]
    lines += _metric("store_full", "1 while readings are not acknowledged for want of room", int(status.full))
    lines += _metric("clock_synced", "1 while the time is known; else readings are marked, see time_quality", int(_knows_time(status)))
    refused, waiting = (_count(named) for named in (status.heartbeat.releases_refused, status.heartbeat.releases_waiting))
    lines += _metric("releases_refused", "Releases of models that the gateway has refused or fallen back from", refused)
    lines += _metric("releases_waiting", "Releases of models that the gateway is to run and cannot yet", waiting)
    lines += _metric("broker_plain", "1 where readings come from another machine without TLS, mqtt.allow_plain", int(plain))
    lines += [*_of_day(status.uplink_day or DayBytes(0, 0)), *_of_http(status.http or HttpTraffic())]
    return "".join(lines)


def _count(named: str | None) -> int:
    """Counts the entries of a column that is a JSON object."""
    return len(json.loads(named or "{}"))


def _of_http(http: HttpTraffic) -> Iterator[str]:
    yield from _metric("http_connections", "Connections that are open to [http]", http.connections)
    samples = (({"status": str(status)}, count) for status, count in sorted(http.answers.items()))
    yield from family("tinybeam_http_answers_total", "counter", "Requests to [http] that were answered, by status: 200 is stored", samples)


def _knows_time(status: HealthStatus) -> bool:
    return status.heartbeat.time_quality == TimeQuality.SYNCED


def _of_day(day: DayBytes) -> Iterator[str]:
    yield from _metric("uplink_day_bytes", "Bytes sent up since midnight UTC; 0 without uplink.limits.max_bytes_per_day", day.spent)
    yield from _metric("uplink_day_bytes_max", "uplink.limits.max_bytes_per_day; 0: no limit", day.limit)
    yield from _metric("uplink_day_spent", "1 while only events and heartbeats go until midnight UTC", int(day.are_spent))


def _metric(name: str, text: str, value: Any) -> Iterator[str]:
    if name.endswith("_state"):
        name, value = name.replace("_state", "_online"), int(value == LinkState.ONLINE)
    if isinstance(value, datetime):
        name, value = f"{name}_seconds", micros(value) / 1e6
    if not isinstance(value, int | float):
        return
    counts = name.startswith(_COUNTERS)
    yield from family(f"tinybeam_{name}{'_total' if counts else ''}", "counter" if counts else "gauge", text, [({}, value)])


class Health:
    """Answers HTTP in threads of its own. Usage: `with health.running(): ...`, and `health.report(status)` by any thread."""

    def __init__(self, host: str, port: int, *, plain: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Listens at once; port 0 takes a free one. `plain`: readings come without TLS. Raises OSError."""
        self._status: tuple[HealthStatus, float] | None = None
        self._plain, self._monotonic = plain, monotonic
        self._server = BoundedServer((host, port), answers_to_get(self._answer), None)
        self.port = self._server.server_port
        self.running = self._server.running

    def report(self, status: HealthStatus) -> None:
        """Replaces the state that requests are answered from."""
        self._status = status, self._monotonic()

    def _answer(self, path: str) -> Answer:
        # The age of a report is no matter of what time it is.
        status, reported = self._status or (None, 0.0)
        if path == "/healthz":
            code, answer = healthz(status, self._monotonic() - reported)
            return code, "application/json", json.dumps(answer).encode()
        if path == "/metrics":
            return 200, CONTENT_TYPE, exposition(status, plain=self._plain).encode()
        return 404, "text/plain", b"there are /healthz and /metrics\n"
