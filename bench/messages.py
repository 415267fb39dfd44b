"""What four gateways send in some minutes, always the same: batches as card files, and the same rows as JSON lines for those who take rows.

Every twentieth batch comes twice. Made once per shape and kept in the folder.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from edge.store.batch import EncodedBatch, encode
from schemas import sketch
from schemas.envelope import Envelope, entry, micros
from schemas.records import Device, Site, Summary
from schemas.registry import Registry

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
GATEWAYS = 4
DEVICES = 125
"""Of each gateway; with four channels each, a gateway's minute is 500 rows."""

CHANNELS = (("moisture", "m3/m3"), ("temperature", "degC"), ("humidity", "%"), ("conductivity", "dS/m"))
ROWS_A_MINUTE = GATEWAYS * DEVICES * len(CHANNELS)
DEVICES_A_SITE = 25
REPEATED = 20

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_READINGS = 6
_CYCLE = 20
"""Minutes until the same values come again: making new ones takes longer than the pipeline takes for all."""


@dataclass(frozen=True, slots=True)
class Load:
    """`rows` different rows in batches of `batch_rows`; a file of each kind is made when it is first asked for."""

    folder: Path
    rows: int
    batch_rows: int

    def __post_init__(self) -> None:
        if self.rows % ROWS_A_MINUTE or ROWS_A_MINUTE // GATEWAYS % self.batch_rows:
            raise ValueError("rows must be whole minutes of all gateways, and a minute whole batches")

    @property
    def batches(self) -> int:
        return self.rows // self.batch_rows

    @property
    def windows(self) -> int:
        """Site windows that they make: of each site and channel a minute each, and the hours."""
        minutes = self.rows // ROWS_A_MINUTE
        return (minutes + -(-minutes // 60)) * GATEWAYS * (DEVICES // DEVICES_A_SITE) * len(CHANNELS)

    def cards(self) -> Path:
        """A card file."""
        return self._made("tbb", self._write_cards)

    def lines(self) -> Path:
        """JSON lines: the rows of the batches in their order, repeats included, with their identity."""
        return self._made("jsonl", self._write_lines)

    def _made(self, ending: str, write: Any) -> Path:
        file = self.folder / f"{self.rows}-rows-by-{self.batch_rows}.{ending}"
        if not file.exists():
            print(f"making {file}", file=sys.stderr)
            self.folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            with part.open("wb") as out:
                write(out)
            part.rename(file)
        return file

    def _write_cards(self, out: BinaryIO) -> None:
        out.writelines(entry(envelope.attributes(), parcel.body) * times_sent(envelope) for envelope, parcel, _ in self._batches())

    def _write_lines(self, out: BinaryIO) -> None:
        for envelope, _, rows in self._batches():
            for _ in range(times_sent(envelope)):
                out.writelines(_line(envelope, number, row) for number, row in enumerate(rows))

    def _batches(self) -> Iterator[tuple[Envelope, EncodedBatch, list[Summary]]]:
        seqs = dict.fromkeys(range(GATEWAYS), 0)
        for minute in range(self.rows // ROWS_A_MINUTE):
            for gateway in range(GATEWAYS):
                rows = list(_summaries(gateway, minute))
                for first in range(0, len(rows), self.batch_rows):
                    seqs[gateway] += 1
                    some = rows[first : first + self.batch_rows]
                    parcel = encode("summaries", some)
                    yield _named(gateway, seqs[gateway], parcel), parcel, some


def times_sent(envelope: Envelope) -> int:
    return 2 if envelope.seq % REPEATED == 0 else 1


def registry() -> Registry:
    """Where the devices stand."""
    sites = sorted({_site(gateway, device) for gateway in range(GATEWAYS) for device in range(DEVICES)})
    return Registry(
        tuple(Site(name, name, None, None, None, None, None, None, _ALWAYS, None) for name in sites),
        tuple(
            Device(_device(gateway, device), "soil", _site(gateway, device), _ALWAYS, None)
            for gateway in range(GATEWAYS)
            for device in range(DEVICES)
        ),
    )


def _summaries(gateway: int, minute: int) -> Iterator[Summary]:
    start, first = BEGIN + minute * _MINUTE, minute * _READINGS + 1
    for one in _first_summaries(gateway, minute % _CYCLE):
        seqs = (first, first + _READINGS - 1)
        yield replace(one, window_start=start, last_time=start + timedelta(seconds=55), seq_ranges=seqs)


@cache
def _first_summaries(gateway: int, minute: int) -> list[Summary]:
    chance = random.Random(f"{gateway}:{minute}")
    return [
        _summary(_device(gateway, device), channel, unit, [round(chance.gauss(20, 3), 3) for _ in range(_READINGS)])
        for device in range(DEVICES)
        for channel, unit in CHANNELS
    ]


def _summary(device_id: str, channel: str, unit: str, values: list[float]) -> Summary:
    mean = sum(values) / _READINGS
    return Summary(
        device_id=device_id,
        channel=channel,
        unit=unit,
        window_start=BEGIN,
        window_seconds=60,
        count=_READINGS,
        sum=sum(values),
        m2=sum((value - mean) ** 2 for value in values),
        min=min(values),
        max=max(values),
        last=values[-1],
        last_time=BEGIN,
        seq_ranges=(),
        sketch=sketch.of(values),
        late=False,
        time_quality="synced",
        clock_offset_ms=round(10 * (values[0] - 20), 3),
    )


def _named(gateway: int, seq: int, parcel: EncodedBatch) -> Envelope:
    cut = parcel.time_min + _MINUTE + timedelta(seconds=2)
    size = (parcel.row_count, parcel.raw_bytes, parcel.priority)
    return Envelope(f"gw{gateway}", 7, seq, parcel.kind, *size, cut, parcel.time_min, parcel.time_max)


def _line(envelope: Envelope, number: int, row: Summary) -> bytes:
    placement = {
        "batch_id": envelope.batch_id,
        "row": number,
        "gateway_id": envelope.gateway_id,
        "received_time": micros(envelope.cut_time),
        "extras": None,
    }
    return json.dumps(placement | asdict(row), default=micros, separators=(",", ":")).encode() + b"\n"


def _device(gateway: int, device: int) -> str:
    return f"gw{gateway}-d{device:03}"


def _site(gateway: int, device: int) -> str:
    return f"farm{gateway}-field{device // DEVICES_A_SITE}"
