"""Runs a gateway in simulated time: its own core and store, with a power switch, an uplink and a broker that a drill can take away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from edge.config import load
from edge.gateway import Gateway, Links, MqttMessage
from edge.store.store import Store
from lab.drills.signed import signed
from pipeline.elements import ReceivedMessage
from schemas.records import LinkState

UPLOAD_AT_ONCE = 10_000
GRACE_SECONDS = 5

_SETTINGS = """\
# Written by a drill.
[gateway]
id = "{gateway_id}"
state_dir = "{state}"
heartbeat_seconds = {heartbeat_seconds}

[mqtt]
topic = "{gateway_id}/sensors/+/readings"

[windows]
seconds = {window_seconds}
grace_seconds = {grace_seconds}

[batches]
seconds = {batch_seconds}

[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"

[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
{deadband}

[[sensors.thresholds]]
name = "frost"
channel = "temperature"
below = 1.0
hysteresis = 1.0
severity = "critical"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Says at which intervals a gateway works, in seconds, and what its soil sensors report by exception only."""

    window_seconds: int = 60
    batch_seconds: int = 60
    heartbeat_seconds: int = 60
    deadband: str = ""


@dataclass(slots=True)
class SimulatedGateway:
    """Drives one gateway: `gateway.power_on(now); gateway.hear(messages, now); gateway.upload(now)`.

    `clock` gives what the gateway takes for the time, of the true one.
    """

    gateway_id: str
    directory: Path
    pace: Pace = field(default_factory=Pace)
    uplink: bool = True
    broker: bool = True
    clock: Callable[[datetime], datetime] = lambda now: now
    _gateway: Gateway | None = None
    _store: Store | None = None

    @property
    def closes_after(self) -> timedelta:
        """Returns how long after its begin a window is closed at the latest."""
        return timedelta(seconds=self.pace.window_seconds + GRACE_SECONDS + 1)

    def power_on(self, now: datetime) -> None:
        """Starts the gateway on the store that it left behind."""
        config = load(self._settings())
        config.gateway.state_dir.mkdir(parents=True, exist_ok=True)
        self._store = Store(config.store_file, config.gateway.id, config.store.max_bytes)
        self._gateway = Gateway(config, self._store, self.clock(now))

    def power_off(self) -> None:
        """Ends the gateway as a power cut does: nothing is cut or sent any more."""
        if self._store:
            with closing(self._store):
                self._gateway = self._store = None

    def hear(self, messages: Sequence[MqttMessage], now: datetime) -> bool:
        """Takes messages in; returns whether it acknowledged them."""
        if not self._gateway or not self.broker:
            return False
        self._gateway.accept(messages, self.clock(now))
        return True

    def tick(self, now: datetime) -> None:
        """Lets the gateway work, as it does a few times in each window."""
        if self._gateway:
            self._gateway.links = Links(uplink=_state(up=self.uplink), broker=_state(up=self.broker))
            self._gateway.tick(self.clock(now))

    def flush(self, now: datetime) -> None:
        """Ends the gateway's work as a clean stop does; it stays powered for a last upload."""
        if self._gateway:
            self._gateway.flush(self._gateway.end_of_windows(self.clock(now)))

    def upload(self, now: datetime) -> list[ReceivedMessage]:
        """Delivers what waits, in the uplink's order, if the uplink is there."""
        if not self._store or not self.uplink:
            return []
        waiting = self._store.pending(UPLOAD_AT_ONCE)
        self._store.confirm([batch.key for batch in waiting])
        return [signed(ReceivedMessage(batch.envelope.attributes(), batch.body, now)) for batch in waiting]

    def _settings(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / f"{self.gateway_id}.toml"
        pace = self.pace
        text = _SETTINGS.format(
            gateway_id=self.gateway_id,
            state=self.directory / self.gateway_id,
            heartbeat_seconds=pace.heartbeat_seconds,
            window_seconds=pace.window_seconds,
            grace_seconds=GRACE_SECONDS,
            batch_seconds=pace.batch_seconds,
            deadband=pace.deadband,
        )
        file.write_text(text)
        return file


def _state(*, up: bool) -> LinkState:
    return LinkState.ONLINE if up else LinkState.OFFLINE
