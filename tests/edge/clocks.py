"""A gateway on a machine whose clocks a test sets: the truth is outside, and so is what every sensor sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.clock import ClockReading
from edge.gateway import Gateway, MqttMessage
from edge.models.running import slots_of
from edge.store.store import Store
from edge.timekeeper import Moment, Timekeeper
from tests.edge.gateways import config, message, rows
from tests.edge.test_gateway import Thirst, bundle, modelled

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ERA = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SOIL = Path(__file__).parents[2] / "models" / "soil"


class Machine:
    """Has clocks: `error` is that of the wall clock, and the kernel says `is_synced`."""

    def __init__(self, true: datetime = NOON, *, is_synced: bool = True, error: timedelta = timedelta()) -> None:
        self.true, self.error, self.is_synced = true, error, is_synced
        self._boots, self._booted = 0, true - HOUR

    def clocks(self) -> ClockReading:
        return ClockReading(self.true + self.error, self.true - self._booted, f"boot-{self._boots}", self.is_synced)

    def boot(self, error: timedelta, *, is_synced: bool = False) -> None:
        self._boots, self._booted = self._boots + 1, self.true
        self.error, self.is_synced = error, is_synced

    def set(self, error: timedelta, *, is_synced: bool = False) -> None:
        """Sets the wall clock: the kernel does not call that synchronised."""
        self.error, self.is_synced = error, is_synced


class Farm:
    """A gateway on the machine, and devices: `own` ones say the time, from their own clock, `mute` ones do not."""

    def __init__(self, folder: Path, machine: Machine, *, batch_seconds: int = 0) -> None:
        models = [{"name": "soil", "bundle": str(SOIL)}]
        windows = {"seconds": 60, "grace_seconds": 10}
        self.config = config(folder, sensors=modelled(), batches={"seconds": batch_seconds}, models=models, windows=windows)
        self.machine = machine
        self.sent: dict[tuple[str, int], datetime] = {}
        self.moments: list[Moment] = []
        self.open()

    def open(self) -> None:
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.timekeeper = Timekeeper(self.store.section, self.machine.clocks())
        started = self.timekeeper.note(self.machine.clocks()).time
        clock = self.timekeeper.section
        self.gateway = Gateway(self.config, self.store, started, slots=slots_of({"soil": bundle()}, Thirst()), clock=clock)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def now(self) -> datetime:
        moment = self.timekeeper.note(self.machine.clocks(), self.gateway.sensors_offset)
        self.moments.append(moment)
        self.gateway.note_clock(moment)
        return moment.time

    def take(self, *messages: MqttMessage) -> None:
        self.gateway.accept(messages, self.now())

    def send(self, device: str, behind: timedelta | None = None) -> MqttMessage:
        """Returns a message of this moment; `behind` is the error of the device's own clock, None if it has none."""
        seq = len(self.sent) + 1
        self.sent[device, seq] = self.machine.true
        own = {} if behind is None else {"time": (self.machine.true - behind).timestamp()}
        return message(device, {"seq": seq, "boot": "b", "values": {"moisture": 0.3}, **own})

    def tick(self) -> None:
        self.gateway.tick(self.now())

    def run(self, time: timedelta, devices: dict[str, timedelta | None], every: timedelta = 10 * SECOND) -> None:
        """Lets time pass in steps: at each the devices send, and the gateway ticks."""
        for _ in range(time // every):
            self.machine.true += every
            self.take(*(self.send(device, behind) for device, behind in devices.items()))
            self.tick()

    def summaries(self, device: str | None = None) -> list[dict[str, Any]]:
        return [row for row in rows(self.store, "summaries") if device in (None, row["device_id"])]

    def inferences(self) -> list[dict[str, Any]]:
        return rows(self.store, "inferences")

    def times(self, row: dict[str, Any]) -> list[datetime]:
        """When the readings of a summary were truly sent."""
        ranges = row["seq_ranges"]
        numbers = [seq for first, last in zip(ranges[::2], ranges[1::2], strict=True) for seq in range(first, last + 1)]
        return [self.sent[row["device_id"], number] for number in numbers]


def is_within(row: dict[str, Any], times: Sequence[datetime], slack: timedelta = timedelta()) -> bool:
    """Whether a summary is dated when its readings were truly sent."""
    start = row["window_start"]
    return all(start - slack <= time <= start + timedelta(seconds=row["window_seconds"]) + slack for time in times)
