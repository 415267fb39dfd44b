"""Describes a fleet, and measures a month of one of its gateways: the gateway's own code cuts the batches of a few hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from edge import config
from edge.day_cost import Traffic, played

MONTH = timedelta(days=365) / 12
_HOUR = timedelta(hours=1)
_ROUNDS = 2
"""So many batches are played at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Holds what is alike at every gateway: `every` is the time between two readings of a device, `batch` between two batches. The pipeline
    loads rows every `load_interval`; None where it appends them.
    """

    gateways: int
    devices: int
    channels: int
    every: timedelta
    window: timedelta
    batch: timedelta
    load_interval: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Counts what all gateways send in a month. `raw` are the bytes of the readings themselves, `batch_rows` the mean of a batch."""

    raw: float
    readings: float
    requests: float
    message_bytes: float
    summaries: float
    heartbeats: float
    batches: float

    @property
    def batch_rows(self) -> float:
        return self.summaries / max(1.0, self.batches)


def month(fleet: Fleet) -> Month:
    """Measures a month. Raises program.settings.ConfigError where a gateway could not have such settings."""
    settings = settings_of(fleet)
    sensors = settings.sensors[0]
    devices = [(name, sensors) for name in sensors.devices]
    return _of(played(settings, devices, fleet.every, max(_ROUNDS * fleet.batch, _HOUR)), fleet)


def _of(traffic: Traffic, fleet: Fleet) -> Month:
    """Scales what was played by its rows: of the month it is known how many there are."""
    rows = fleet.gateways * fleet.devices * fleet.channels * (MONTH / max(fleet.window, fleet.every))
    times = rows / traffic.rows["summaries"]
    return Month(
        raw=traffic.raw * times,
        readings=fleet.gateways * fleet.devices * (MONTH / fleet.every),
        requests=traffic.requests * times,
        message_bytes=(traffic.up.total() - traffic.up["requests"]) * times,
        summaries=rows,
        heartbeats=traffic.rows["heartbeats"] * times,
        batches=traffic.batches.total() * times,
    )


def settings_of(fleet: Fleet) -> config.Config:
    """Returns the configuration of one of its gateways. Raises program.settings.ConfigError."""
    content = {
        "gateway": {"id": "gateway-1", "state_dir": "state"},
        "windows": {"seconds": _seconds(fleet.window)},
        "batches": {"seconds": _seconds(fleet.batch)},
        "uplink": {"kind": "pubsub", "topic": "projects/my-project/topics/telemetry"},
        "sensors": [
            {
                "name": "sensors",
                "devices": [f"device-{number:04d}" for number in range(1, fleet.devices + 1)],
                "channels": {f"channel_{number}": "degC" for number in range(1, fleet.channels + 1)},
            }
        ],
    }
    return config.parse(content, Path("gateway.toml"))


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
