"""Makes what four gateways send in some minutes, always the same: signed batches as export files, and the same rows as JSON lines for flows
rows.

Every twentieth batch comes twice. Written once per shape and kept in the folder.
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
from lab.world.named_keys import agreed_key, registered
from lab.world.summary import summary_of
from schemas.envelope import Envelope, entry, micros
from schemas.message import all_attributes
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
_UNTIL_CUT = timedelta(seconds=62)
"""From the start of a batch's first window to its cut."""
_READINGS = 6
_CYCLE = 20
"""Minutes until the same values are reused: drawing new ones takes longer than the pipeline takes for all."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload is the files to load: `Workload(folder, rows=80_000, batch_rows=500).export_file()`.

    They hold `rows` different rows in batches of `batch_rows`; a file is written when it is first asked for.
    """

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
    def messages(self) -> int:
        """Counts the batches as often as they come."""
        of_a_gateway = self.batches // GATEWAYS
        return self.batches + GATEWAYS * (of_a_gateway // REPEATED)

    @property
    def windows(self) -> int:
        """Counts the site windows: of each site and channel a window a minute, and one an hour."""
        minutes = self.rows // ROWS_A_MINUTE
        return (minutes + -(-minutes // 60)) * GATEWAYS * (DEVICES // DEVICES_A_SITE) * len(CHANNELS)

    def export_file(self) -> Path:
        """Returns the batches as an export file."""
        return self._file("tbb", self._write_batches)

    def json_lines(self) -> Path:
        """Returns the rows of the batches in their order, repeats included, with their dedup key, as JSON lines."""
        return self._file("jsonl", self._write_rows)

    def _file(self, ending: str, write: Any) -> Path:
        file = self.folder / f"{self.rows}-signed-rows-by-{self.batch_rows}.{ending}"
        if not file.exists():
            print(f"writing {file}", file=sys.stderr)
            self.folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            with part.open("wb") as out:
                write(out)
            part.rename(file)
        return file

    def _write_batches(self, out: BinaryIO) -> None:
        for envelope, batch, _ in self._batches():
            signature = agreed_key(envelope.gateway_id).signature(envelope.attributes(), batch.body)
            out.write(entry(all_attributes(envelope, signature), batch.body) * times_sent(envelope))

    def _write_rows(self, out: BinaryIO) -> None:
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
                    chunk = rows[first : first + self.batch_rows]
                    batch = encode("summaries", chunk)
                    yield batch.envelope(f"gw{gateway}", 7, seqs[gateway], batch.time_min + _UNTIL_CUT), batch, chunk


def times_sent(envelope: Envelope) -> int:
    return 2 if envelope.seq % REPEATED == 0 else 1


def registry() -> Registry:
    """Returns where the devices stand, and the gateways' keys."""
    sites = sorted({_site(gateway, device) for gateway in range(GATEWAYS) for device in range(DEVICES)})
    return Registry(
        tuple(Site(site_id=name, name=name, valid_from=_ALWAYS) for name in sites),
        tuple(
            Device(_device(gateway, device), "soil", _site(gateway, device), _ALWAYS, None)
            for gateway in range(GATEWAYS)
            for device in range(DEVICES)
        ),
        gateways=registered(f"gw{gateway}" for gateway in range(GATEWAYS)),
    )


def _summaries(gateway: int, minute: int) -> Iterator[Summary]:
    start, first = BEGIN + minute * _MINUTE, minute * _READINGS + 1
    for summary in _first_summaries(gateway, minute % _CYCLE):
        seqs = (first, first + _READINGS - 1)
        yield replace(summary, window_start=start, last_time=start + timedelta(seconds=55), seq_ranges=seqs)


@cache
def _first_summaries(gateway: int, minute: int) -> list[Summary]:
    rng = random.Random(f"{gateway}:{minute}")
    return [
        _summary(_device(gateway, device), channel, unit, [round(rng.gauss(20, 3), 3) for _ in range(_READINGS)])
        for device in range(DEVICES)
        for channel, unit in CHANNELS
    ]


def _summary(device_id: str, channel: str, unit: str, values: list[float]) -> Summary:
    offset = round(10 * (values[0] - 20), 3)
    return summary_of(
        values,
        device_id=device_id,
        channel=channel,
        unit=unit,
        window_start=BEGIN,
        last_time=BEGIN,
        seq_ranges=(),
        clock_offset_ms=offset,
    )


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
