"""Makes batches as gateways of many kinds send them: what a dictionary is trained on. The same everywhere, for the seed is fixed.

They are not those of the lab or the benchmarks, which measure what a dictionary is worth: other devices, quantities, intervals and times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import fsum
from random import Random
from typing import NamedTuple

from schemas import columns, sketch
from schemas.records import (
    KINDS,
    Cause,
    Event,
    Heartbeat,
    Inference,
    Kind,
    LinkState,
    Reject,
    Severity,
    Summary,
    ThresholdState,
    TimeQuality,
)

_SEED = 20261127
_BATCHES = 600
_FIRST_YEAR, _YEARS = 2026, 8
_WINDOW_SECONDS = (60, 60, 60, 300, 600, 900)
_INTERVALS = (1, 10, 60, 60, 300)
"""Seconds between two readings of a sensor."""
_ROWS = (1, 2, 2, 4, 5, 8, 10, 10, 15, 20, 30, 50)
_NAMES = ("soil-{}", "probe-{}", "field-{}", "node-{:02}", "sensor-{:03}", "machine-{}", "pump-{}")


class _Quantity(NamedTuple):
    """Is something that sensors measure: between which values, with how many digits, and with how much noise."""

    channel: str
    unit: str
    low: float
    high: float
    digits: int
    noise: float


_QUANTITIES = (
    _Quantity("moisture", "m3/m3", 0.05, 0.45, 4, 0.0006),
    _Quantity("temperature", "degC", -10, 38, 2, 0.06),
    _Quantity("humidity", "%", 20, 99, 1, 0.4),
    _Quantity("conductivity", "dS/m", 0.1, 4, 3, 0.01),
    _Quantity("rain", "mm", 0, 2, 1, 0.0),
    _Quantity("pressure", "hPa", 960, 1040, 1, 0.1),
    _Quantity("co2", "ppm", 400, 1800, 0, 6),
    _Quantity("battery", "V", 3.1, 4.2, 2, 0.005),
    _Quantity("wind", "m/s", 0, 14, 1, 0.8),
    _Quantity("acceleration_rms", "m/s2", 0.2, 9, 15, 0.05),
    _Quantity("acceleration_peak", "m/s2", 0.6, 40, 15, 0.4),
    _Quantity("acceleration_kurtosis", "", 1.5, 9, 15, 0.2),
)


class _Series(NamedTuple):
    """Is one channel of one device about a level. `phase` is when in its interval the device sends."""

    device_id: str
    quantity: _Quantity
    level: float
    interval: int
    phase: float
    late_by_ms: float | None

    def values(self, rng: Random, count: int) -> list[float]:
        return [round(self.level + rng.gauss(0, self.quantity.noise), self.quantity.digits) for _ in range(count)]


def contents() -> list[bytes]:
    """Returns the contents of bodies, as they are before compression."""
    return [columns.pack(KINDS[kind].record, rows) for kind, rows in _batches(Random(_SEED))]


def _batches(rng: Random) -> Iterator[tuple[Kind, Sequence[object]]]:
    for number in range(_BATCHES):
        now = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(_YEARS * 365 * 86_400))
        yield Kind.SUMMARIES, list(_summaries(rng, now.replace(second=0)))
        if number % 4 == 0:
            yield Kind.HEARTBEATS, [_heartbeat(rng, now)]
        if number % 6 == 0:
            yield Kind.INFERENCES, [_inference(rng, now.replace(second=0), device) for device in _devices(rng, rng.randint(1, 6))]
            yield Kind.EVENTS, [_event(rng, now)]
        if number % 30 == 0:
            yield Kind.REJECTS, [_reject(rng, now)]


def _summaries(rng: Random, start: datetime) -> Iterator[Summary]:
    """Yields the summaries of a few devices, one window after the other; of some gateways, what a deadband held for several windows."""
    wanted, seconds = rng.choice(_ROWS), rng.choice(_WINDOW_SECONDS)
    series, is_held = list(_series(rng, wanted)), rng.random() < 0.25
    for row in range(wanted):
        window, number = divmod(row, len(series))
        windows = rng.randint(2, 60) if is_held else 1
        yield _summary(rng, series[number], start + window * timedelta(seconds=seconds), windows * seconds)


def _series(rng: Random, most: int) -> Iterator[_Series]:
    quantities, interval, sends_time = rng.sample(_QUANTITIES, rng.choice((1, 2, 2, 2, 3, 4))), rng.choice(_INTERVALS), rng.random() < 0.7
    for device_id in _devices(rng, max(1, min(rng.randint(1, 12), most // len(quantities)))):
        phase, late_by_ms = rng.uniform(0, interval), round(rng.uniform(1, 900), 3) if sends_time else None
        for quantity in quantities:
            yield _Series(device_id, quantity, rng.uniform(quantity.low, quantity.high), interval, round(phase, 6), late_by_ms)


def _summary(rng: Random, series: _Series, start: datetime, seconds: int) -> Summary:
    count, first = max(1, seconds // series.interval), int(start.timestamp()) // series.interval % 100_000
    values = series.values(rng, min(count, 120))
    mean = fsum(values) / len(values)
    return Summary(
        device_id=series.device_id,
        channel=series.quantity.channel,
        unit=series.quantity.unit,
        window_start=start,
        window_seconds=seconds,
        count=len(values),
        sum=fsum(values),
        m2=fsum((value - mean) ** 2 for value in values),
        min=min(values),
        max=max(values),
        last=values[-1],
        last_time=start + timedelta(seconds=max(0, seconds - series.interval) + series.phase),
        seq_ranges=(first, first + count - 1),
        sketch=sketch.of(values),
        late=rng.random() < 0.02,
        time_quality=TimeQuality.SYNCED,
        clock_offset_ms=series.late_by_ms,
    )


def _heartbeat(rng: Random, now: datetime) -> Heartbeat:
    stored, cut = rng.randrange(1, 50_000_000), rng.randrange(1, 500_000)
    return Heartbeat(
        heartbeat_time=now.replace(microsecond=rng.randrange(1_000_000)),
        started_time=now - timedelta(seconds=rng.randrange(10_000_000)),
        version="0.3.0",
        runtime=rng.choice(("none", "tflite-runtime 2.14.0", "ai-edge-litert 2.1.0")),
        models=json.dumps({name: _sha256(rng) for name in rng.choice(([], ["soil"], ["bearing"]))}),
        time_quality=TimeQuality.SYNCED,
        readings_stored=stored,
        readings_repeated=rng.choice((0, 0, rng.randrange(1000))),
        readings_rejected=rng.choice((0, 0, rng.randrange(1000))),
        readings_summarised=stored - rng.randrange(100),
        readings_dropped=0,
        batches_cut=cut,
        batches_confirmed=cut - 1,
        batches_pending=1,
        batches_dropped=0,
        dropped_ranges=(),
        oldest_pending_time=now if rng.random() < 0.2 else None,
        store_bytes=4096 * rng.randrange(20, 2000),
        store_bytes_max=512 << 20,
        devices_seen=rng.randint(1, 100),
        uplink_state=LinkState.ONLINE,
        broker_state=LinkState.ONLINE,
        listening_since_time=now - timedelta(seconds=rng.randrange(1_000_000)),
    )


def _inference(rng: Random, start: datetime, device_id: str) -> Inference:
    return Inference(
        device_id=device_id,
        window_start=start,
        window_seconds=rng.choice(_WINDOW_SECONDS),
        model=rng.choice(("soil", "bearing", "pump")),
        model_version=f"1.{rng.randint(0, 4)}.0",
        model_sha256=_sha256(rng),
        runtime=rng.choice(("tflite-runtime 2.14.0", "ai-edge-litert 2.1.0")),
        label=rng.choice(("fine", "stressed", "healthy", "failing", "normal")),
        score=rng.uniform(0, 14),
        uncertainty=rng.uniform(0, 3),
        features=tuple(rng.uniform(0, 30) for _ in range(rng.choice((4, 8, 16)))),
        time_quality=TimeQuality.SYNCED,
    )


def _event(rng: Random, now: datetime) -> Event:
    quantity, state = rng.choice(_QUANTITIES), rng.choice((ThresholdState.LOW, ThresholdState.HIGH))
    limit = rng.uniform(quantity.low, quantity.high)
    return Event(
        device_id=_devices(rng, 1)[0],
        event_time=now,
        cause=Cause.THRESHOLD,
        rule=rng.choice(("dry", "frost", "heat", "shocks", "empty")),
        channel=quantity.channel,
        previous_state=ThresholdState.NORMAL,
        state=state,
        value=round(limit, quantity.digits),
        threshold=round(limit, 1),
        severity=rng.choice(list(Severity)),
        time_quality=TimeQuality.SYNCED,
    )


def _reject(rng: Random, now: datetime) -> Reject:
    device_id = _devices(rng, 1)[0]
    return Reject(
        timestamp=now,
        payloadBytes=json.dumps({"time": now.timestamp(), "seq": rng.randrange(100_000), "values": {}}).encode(),
        attributes=(),
        errorMessage="Expected `float`, got `str` - at `$.values[...]`",
        reject_id="",
        stage="edge.intake",
        reason=rng.choice(("wrong_type", "malformed_json", "time_future", "no_sensor_class")),
        device_id=device_id,
        topic=f"sensors/{device_id}/readings",
    )


def _devices(rng: Random, count: int) -> list[str]:
    name = rng.choice(_NAMES)
    return [name.format(number) for number in sorted(rng.sample(range(1, 200), count))]


def _sha256(rng: Random) -> str:
    return f"{rng.getrandbits(256):064x}"
