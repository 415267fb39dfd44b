"""Makes what a fleet sends in a quarter of an hour, by the gateway's encoder, as an export file; every gateway and device has its own name.

Each gateway sends a batch of summaries and a heartbeat; those of a region come back from an outage meanwhile, with an hour of batches at
once. Every twentieth batch comes twice. Written once per shape and kept in the folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

from bench.messages import BEGIN, CHANNELS
from edge.store.batch import EncodedBatch, encode
from lab.world.summary import summary_of
from schemas.envelope import Envelope, entry
from schemas.records import Device, Heartbeat, Kind, Site, Summary
from schemas.registry import Registry
from schemas.registry_settings import ALWAYS

EPOCH = 8_123_456_789_012_345_678
"""As long as the random number of a store."""
REGION = 10
"""One gateway in so many is of the region that was cut off."""
BACKLOG = 4
REPEATED = 20
READINGS = 6
_QUARTER = timedelta(minutes=15)
_VARIANTS = 20
"""So many devices differ in their values: drawing new ones takes longer than the pipeline takes for all."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Is a fleet and its export file: `Fleet(folder, 6_250).export_file()`. A batch has a row for each channel of each device."""

    folder: Path
    gateways: int
    devices: int = 5
    channels: int = 2
    rows_a_batch: int = 500
    """At most; a gateway of more devices cuts more batches."""
    quarters: int = 1

    @property
    def rows(self) -> int:
        """Counts different rows of summaries."""
        return self.summary_quarters * self.devices * self.channels

    @property
    def summary_quarters(self) -> int:
        return self.quarters * self.gateways + (BACKLOG - 1) * self.away

    @property
    def heartbeats(self) -> int:
        return self.quarters * self.gateways

    @property
    def batches(self) -> int:
        return self.summary_quarters * -(-self.devices * self.channels // self.rows_a_batch) + self.heartbeats

    @property
    def away(self) -> int:
        """Counts gateways of the region that was cut off."""
        return -(-self.gateways // REGION) if self.gateways >= REGION else 0

    def export_file(self) -> Path:
        shape = f"{self.gateways}-gateways-of-{self.devices}x{self.channels}-by-{self.rows_a_batch}-for-{self.quarters}"
        file = self.folder / f"{shape}.tbb"
        if not file.exists():
            print(f"writing {file}", file=sys.stderr)
            self.folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            with part.open("wb") as out:
                out.writelines(entry(envelope.attributes(), batch.body) * times_sent(envelope) for envelope, batch in self._sent())
            part.rename(file)
        return file

    def registry(self) -> Registry:
        """Returns where the devices stand: a site for each gateway."""
        return _registry(self.gateways, self.devices)

    def _sent(self) -> Iterator[tuple[Envelope, EncodedBatch]]:
        for quarter in range(self.quarters):
            for gateway in range(self.gateways):
                backlog = BACKLOG if quarter == 0 and gateway < self.away * REGION and gateway % REGION == 0 else 1
                yield from self._of_gateway(gateway, quarter + 1, backlog)

    def _of_gateway(self, gateway: int, quarter: int, backlog: int) -> Iterator[tuple[Envelope, EncodedBatch]]:
        """Yields what one sends at the end of a quarter of an hour, oldest first."""
        now, seq = BEGIN + (BACKLOG + quarter) * _QUARTER, quarter * 1000
        for ago in reversed(range(backlog)):
            rows = self._summaries(gateway, now - (ago + 1) * _QUARTER)
            for first in range(0, len(rows), self.rows_a_batch):
                seq += 1
                batch = encode(Kind.SUMMARIES, rows[first : first + self.rows_a_batch])
                yield batch.envelope(gateway_name(gateway), EPOCH + gateway, seq, now - ago * _QUARTER), batch
        heartbeat = encode(Kind.HEARTBEATS, [_heartbeat(self.devices, seq, now)])
        yield heartbeat.envelope(gateway_name(gateway), EPOCH + gateway, seq + 1, now), heartbeat

    def _summaries(self, gateway: int, start: datetime) -> list[Summary]:
        return [
            replace(
                _values(device % _VARIANTS, channel),
                device_id=device_name(gateway, device),
                window_start=start,
                last_time=start + timedelta(seconds=55),
            )
            for device in range(self.devices)
            for channel in range(self.channels)
        ]


@dataclass(frozen=True, slots=True)
class FleetRegistry:
    """Gives the registry of a fleet, made where it is asked for: it does not travel to workers."""

    gateways: int
    devices: int

    def current(self) -> Registry:
        return _registry(self.gateways, self.devices)


def times_sent(envelope: Envelope) -> int:
    """Says how often a batch comes: those of every twentieth gateway come twice."""
    return 2 if (envelope.epoch - EPOCH) % REPEATED == 0 else 1


def gateway_name(gateway: int) -> str:
    return f"farm-{gateway:06}"


def device_name(gateway: int, device: int) -> str:
    return f"farm-{gateway:06}-soil-{device:03}"


@cache
def _registry(gateways: int, devices: int) -> Registry:
    sites = tuple(Site(site_id=gateway_name(each), name=gateway_name(each), valid_from=ALWAYS) for each in range(gateways))
    places = ((device_name(gateway, device), gateway_name(gateway)) for gateway in range(gateways) for device in range(devices))
    return Registry(sites, tuple(Device(name, "soil", site, ALWAYS, None) for name, site in places))


@cache
def _values(variant: int, channel: int) -> Summary:
    rng, (name, unit) = Random(f"{variant}:{channel}"), CHANNELS[channel]
    values = [round(rng.gauss(20, 3), 3) for _ in range(READINGS)]
    return summary_of(values, device_id="", channel=name, unit=unit, window_start=BEGIN, last_time=BEGIN, seq_ranges=(1, READINGS))


def _heartbeat(devices: int, batches: int, now: datetime) -> Heartbeat:
    return Heartbeat(
        heartbeat_time=now,
        started_time=BEGIN,
        version="0.3.0",
        runtime="tflite-runtime 2.14.0",
        models="{}",
        time_quality="synced",
        readings_stored=READINGS * devices * batches,
        readings_repeated=0,
        readings_rejected=0,
        readings_summarised=READINGS * devices * batches,
        readings_dropped=0,
        batches_cut=batches,
        batches_confirmed=batches,
        batches_pending=0,
        batches_dropped=0,
        dropped_ranges=(),
        store_bytes=10_000_000,
        store_bytes_max=1_000_000_000,
        devices_seen=devices,
        uplink_state="online",
        broker_state="online",
        listening_since_time=BEGIN,
    )
