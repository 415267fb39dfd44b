"""The gateway's configuration: one TOML file -> one frozen tree, wholly checked before any thread or connection.

`${NAME}` in a text is replaced by the environment variable. Every error names the file and the setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from edge.config_check import check
from edge.spectrum import time_domain_units
from program.settings import ConfigError, checked, read

__all__ = ["Config", "ConfigError", "load", "parse"]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    id: str
    state_dir: Path
    heartbeat_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Mqtt:
    host: str = "127.0.0.1"
    port: int = 1883
    topic: str = "sensors/+/readings"
    client_id: str = ""
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    max_payload_bytes: int = 65_536
    keepalive_seconds: int = 30
    max_future_seconds: int = 300
    max_age_seconds: int = 1800 * 86400
    commit_messages: int = 500
    commit_milliseconds: int = 20

    @property
    def tls(self) -> bool:
        return self.tls_ca is not None


@dataclass(frozen=True, slots=True)
class WindowSettings:
    seconds: int = 60
    grace_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Batches:
    seconds: int = 0
    """0: as windows.seconds."""
    max_rows: int = 20_000


@dataclass(frozen=True, slots=True)
class StoreSettings:
    max_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Pubsub:
    topic: str = ""
    credentials_file: Path | None = None
    initial_interval: float = 1.0
    max_interval: float = 300.0
    multiplier: float = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    host: str = "127.0.0.1"
    port: int = 0
    """0: no health server."""


@dataclass(frozen=True, slots=True)
class Threshold:
    name: str
    channel: str
    below: float | None = None
    above: float | None = None
    hysteresis: float = 0.0
    severity: str = "warning"


@dataclass(frozen=True, slots=True)
class Sensors:
    """A class of devices: which they are, what they measure, what is asked of them.

    `channels` and `frames` give a channel's unit: of numbers in readings, of samples in frames.
    """

    name: str
    devices: tuple[str, ...]
    channels: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    deadband: Mapping[str, float] = field(default_factory=dict)
    """By channel: windows whose values stay within +-deadband of what was sent last are held and sent together. None: each at once."""
    hold_seconds: int = 3600
    """How long they are held at most."""
    thresholds: tuple[Threshold, ...] = ()

    @property
    def units(self) -> Mapping[str, str]:
        """Of everything that is summarised: the channels, and the levels of the frames' channels."""
        if not self.frames:
            return self.channels
        found = dict(self.channels)
        for channel, unit in self.frames.items():
            found |= time_domain_units(channel, unit)
        return found


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    bundle: Path
    deadband: float = 0.0
    """An inference of the same label whose score is within +-deadband of the last one sent is not sent, for hold_seconds. 0: each is."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a gateway is told. `file` is where it came from."""

    gateway: GatewaySettings
    pubsub: Pubsub
    sensors: tuple[Sensors, ...]
    mqtt: Mqtt = Mqtt()
    windows: WindowSettings = WindowSettings()
    batches: Batches = Batches()
    store: StoreSettings = StoreSettings()
    health: Health = Health()
    models: tuple[Model, ...] = ()
    file: Path = field(default=Path("gateway.toml"), compare=False, metadata={"setting": False})

    def sensors_of(self, device_id: str) -> Sensors | None:
        """The first class that one of its patterns puts the device in."""
        return next((one for one in self.sensors if any(fnmatchcase(device_id, pattern) for pattern in one.devices)), None)

    @property
    def batch_seconds(self) -> int:
        return self.batches.seconds or self.windows.seconds

    @property
    def store_file(self) -> Path:
        return self.gateway.state_dir / "store.db"


def load(file: Path) -> Config:
    """Raises ConfigError. Relative paths are relative to the file's folder."""
    return parse(read(file), file)


def parse(content: dict[str, Any], file: Path) -> Config:
    """From parsed TOML. Raises ConfigError."""
    made: Config = checked(Config, content, file, check)
    return made
