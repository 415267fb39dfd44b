"""Act one: a season of fields and machines, in accelerated time through the gateways' code onto cards, in batch mode into the warehouse.

The clock is simulated: each day every gateway is given the readings of that day, then a tick. The season is moved so that it
ends just before now, by whole days, so that noon stays noon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.config import load as load_config
from edge.gateway import Gateway, MqttMessage
from edge.models.bundle import Bundle
from edge.models.scorer import Scorer
from edge.store.store import Store
from edge.uplink.export import ExportFile, export
from lab.acts.gateways import GATEWAYS, HISTORY, write_settings
from lab.services.child import Child, python_module
from lab.services.stack import Warehouse
from lab.witness.oracle import Name
from lab.world import field
from lab.world.device import Device

BOOT = "history"
_HOURS = 24
_LOAD_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which time is which hour of the season. `begin` is its first midnight; `hours` of it, from FIRST_DAY on, are history."""

    begin: datetime
    hours: int

    def time(self, hour: int) -> datetime:
        """The middle of the hour, when the probe measures."""
        return self.begin + timedelta(days=field.FIRST_DAY, hours=hour + 0.5)

    def day(self, hour: int) -> float:
        """Of the season, at the end of the hour."""
        return field.FIRST_DAY + (hour + 1) / _HOURS

    def dates(self) -> Iterator[range]:
        """The hours of each day."""
        return (range(first, min(first + _HOURS, self.hours)) for first in range(0, self.hours, _HOURS))

    def end(self, hours: range) -> datetime:
        """When the last of these hours ends."""
        return self.time(hours[-1]) + timedelta(hours=0.5)

    @classmethod
    def until(cls, now: datetime, days: int) -> Calendar:
        """So many days and what has passed of today, in full hours."""
        end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        begin = end.replace(hour=0) - timedelta(days=days + field.FIRST_DAY)
        return cls(begin, (end - begin) // timedelta(hours=1) - _HOURS)


def live_through(
    devices: Sequence[Device], calendar: Calendar, directory: Path, progress: Callable[[str], None]
) -> Iterator[tuple[list[ExportFile], set[Name]]]:
    """For each gateway the cards that it wrote and the readings that it accepted."""
    for gateway_id in GATEWAYS:
        mine = [one for one in devices if one.gateway_id == gateway_id]
        with opened(write_settings(directory, gateway_id, HISTORY), calendar.begin) as (gateway, store):
            for hours in calendar.dates():
                now = calendar.end(hours)
                gateway.accept([message for hour in hours for one in mine for message in _messages(one, calendar, hour)], now)
                gateway.tick(now)
                progress(f"{gateway_id}: day {hours.start // _HOURS + 1}")
            gateway.flush(now + timedelta(seconds=HISTORY.grace_seconds))
            yield (
                export(store, directory / "cards"),
                {(one.device_id, seq) for one in mine for seq in range(1, last_seq(one, calendar) + 1)},
            )
            # The cards have arrived, as far as this story goes; else the gateway would send it all again when it is online.
            store.confirm([batch.envelope.seq for batch in store.pending(1_000_000)])


@contextmanager
def opened(settings: Path, started: datetime) -> Iterator[tuple[Gateway, Store]]:
    """A gateway of these settings without broker and uplink, and its store."""
    config = load_config(settings)
    config.gateway.state_dir.mkdir(parents=True, exist_ok=True)
    bundles = {model.name: Bundle.load(model.bundle) for model in config.models}
    with (
        closing(Store(config.store_file, config.gateway.id, config.store.max_bytes)) as store,
        closing(Scorer(list(bundles.values()))) as scorer,
    ):
        yield Gateway(config, store, started, scorer=scorer, bundles=bundles), store


def load(cards: Path, warehouse: Warehouse, log: Path, registry: Path = field.REGISTRY) -> None:
    """The pipeline in batch mode, from its start to its end. Raises StartFailed when it fails."""
    command = python_module("pipeline", "--mode=batch", f"--input={cards}/*.tbb")
    where = [f"--project={warehouse.project}", f"--registry={registry}"]
    with Child("pipeline", [*command, *where], log, warehouse.environment) as pipeline:
        pipeline.wait_until_done(_LOAD_SECONDS)


def last_seq(of: Device, calendar: Calendar) -> int:
    """The number of its last message in history; a sensor counts from 1."""
    return _seq(of, calendar.hours)


def _messages(of: Device, calendar: Calendar, hour: int) -> Iterator[MqttMessage]:
    """Those of a burst come a second apart."""
    for number in range(of.burst if hour % of.every_hours == 0 else 0):
        time = calendar.time(hour) + timedelta(seconds=number)
        yield MqttMessage(of.topic, of.message(time, _seq(of, hour) + 1 + number, BOOT, calendar.day(hour)))


def _seq(of: Device, hours: int) -> int:
    """How many messages it sends in the first hours."""
    return -(-hours // of.every_hours) * of.burst
