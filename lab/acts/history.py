"""Takes a season of fields and machines, in simulated time, through the gateways' code into export files, in batch mode into the warehouse.

Each simulated day every gateway accepts the readings of that day, then a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from edge.config import load as load_config
from edge.gateway import Gateway, MqttMessage
from edge.models.bundle import Bundle
from edge.models.process_scorer import ProcessScorer
from edge.models.running import slots_of
from edge.store.store import Store
from edge.uplink.export import ExportFile, export
from edge.uplink.signer import signing
from lab.acts.gateways import GATEWAYS, HISTORY, write_settings
from lab.acts.timeline import HOURS_A_DAY, Timeline
from lab.services.child import Child
from lab.services.stack import Warehouse
from lab.witness.oracle import MessageKey
from lab.world import field
from lab.world.device import SimulatedDevice
from program.child import python_module

BOOT = "history"
EXPORT_FOLDER = "export"
UNSIGNED = "--require_signatures=accept"
"""The flag for files of gateways without keys."""
_LOAD_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class GatewayHistory:
    """Holds the export files that a gateway wrote, and the keys of the readings that it accepted."""

    files: list[ExportFile]
    keys: set[MessageKey]


def simulate(
    devices: Sequence[SimulatedDevice], timeline: Timeline, directory: Path, progress: Callable[[str], None]
) -> Iterator[GatewayHistory]:
    """Runs each gateway through the season; it exports into `directory`/EXPORT_FOLDER."""
    for gateway_id in GATEWAYS:
        own = [device for device in devices if device.gateway_id == gateway_id]
        settings = write_settings(directory, gateway_id, HISTORY)
        with open_gateway(settings, timeline.begin) as (gateway, store):
            for hours in timeline.days():
                now = timeline.end(hours)
                gateway.accept([message for hour in hours for device in own for message in _messages(device, timeline, hour)], now)
                gateway.tick(now)
                progress(f"{gateway_id}: day {hours.start // HOURS_A_DAY + 1}")
            gateway.flush(gateway.end_of_windows(now + timedelta(seconds=HISTORY.grace_seconds)))
            keys: set[MessageKey] = {(device.device_id, seq) for device in own for seq in range(1, last_seq(device, timeline) + 1)}
            files = export(store, directory / EXPORT_FOLDER, signing(load_config(settings).signing_keys))
            yield GatewayHistory(files, keys)
            # In this simulation the files have arrived; else the gateway would send all of it again when it is online.
            store.confirm([batch.key for batch in store.pending(1_000_000)])


@contextmanager
def open_gateway(settings: Path, started: datetime) -> Iterator[tuple[Gateway, Store]]:
    """Opens a gateway of these settings without broker and uplink, and its store."""
    config = load_config(settings)
    config.gateway.state_dir.mkdir(parents=True, exist_ok=True)
    bundles = {model.name: Bundle.load(model.bundle) for model in config.models}
    with (
        closing(Store(config.store_file, config.gateway.id, config.store.max_bytes)) as store,
        closing(ProcessScorer(list(bundles.values()))) as scorer,
    ):
        yield Gateway(config, store, started, slots=slots_of(bundles, scorer)), store


def load(folder: Path, warehouse: Warehouse, log: Path, registry: Path = field.REGISTRY, signatures: str = UNSIGNED) -> None:
    """Loads a folder of export files with the pipeline in batch mode; `signatures` is its flag. Raises StartFailed when that fails.

    Hours that another run touched too are to be recomputed afterwards: `tinybeam sql recompute`.
    """
    command = python_module("pipeline", "--mode=batch", f"--input={folder}/*.tbb", "--no_recompute", signatures)
    options = [f"--project={warehouse.project}", f"--registry={registry}"]
    with Child("pipeline", [*command, *options], log, warehouse.environment) as pipeline:
        pipeline.wait_until_done(_LOAD_SECONDS)


def last_seq(device: SimulatedDevice, timeline: Timeline) -> int:
    """Returns the number of its last message in history; a sensor counts from 1."""
    return _messages_before(device, timeline.hours)


def _messages(device: SimulatedDevice, timeline: Timeline, hour: int) -> Iterator[MqttMessage]:
    """Yields the messages of an hour; those of a burst come a second apart."""
    for number in range(device.burst_size if hour % device.interval_hours == 0 else 0):
        time = timeline.time(hour) + timedelta(seconds=number)
        seq = _messages_before(device, hour) + 1 + number
        yield MqttMessage(device.topic, device.message(time, seq, BOOT, timeline.day(hour)))


def _messages_before(device: SimulatedDevice, hour: int) -> int:
    """Counts the messages before this hour."""
    return -(-hour // device.interval_hours) * device.burst_size
