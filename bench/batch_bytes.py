"""Measures the bytes of a summary by how many share its batch, against an Arrow stream without a dictionary, as gateways sent until 0.2.

The summaries are of the lab's fields (real weather, a crop-water model) through a real gateway, as in bench/uplink_bytes.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import zstandard

from bench.figures import Figure, figure
from bench.uplink_bytes import Plan, played, soil_fields
from edge.day_cost import in_memory
from edge.store.batch import encode
from pipeline.body import rows_of
from pipeline.rejects import ipc_stream
from schemas.arrow import schema, wire_columns
from schemas.records import Kind, Summary

ROWS = (2, 5, 10, 20, 50, 500)
_SENSORS = ((60, "1/min"), (1, "1 Hz"))
_COMMAND = "python -m bench batch_bytes"


def figures(rows: int, devices: int = 5, sensors: Sequence[tuple[int, str]] = _SENSORS) -> Iterator[Figure]:
    """Yields the bytes of a body for each of its summaries. `rows` are taken of each kind of sensors."""
    for interval, name in sensors:
        summaries = _summaries(interval, rows, devices)
        for size in ROWS:
            chunks = [summaries[at : at + size] for at in range(0, len(summaries) - size + 1, size)]
            value, baseline = (sum(map(bytes_of, chunks)) / size / len(chunks) for bytes_of in (_columns, _arrow))
            yield figure(f"batch_bytes: {size} rows a batch, sensors at {name}", value, "B/summary", baseline, _COMMAND)


def _summaries(interval: int, rows: int, devices: int) -> list[Summary]:
    """Returns summaries in the order in which a gateway cuts them."""
    plan, hours = Plan("", interval, deadband=False), -(-rows // (devices * 2 * 60))
    found: list[Summary] = []
    with TemporaryDirectory(dir=in_memory()) as folder:
        for batch in played(plan, soil_fields(devices), hours, Path(folder)):
            if batch.envelope.kind == Kind.SUMMARIES:
                found += [Summary(**{name: _as_made(value) for name, value in row.items()}) for row in rows_of(batch.body).to_pylist()]
    return found[:rows]


def _as_made(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _columns(summaries: Sequence[Summary]) -> int:
    return len(encode(Kind.SUMMARIES, summaries).body)


def _arrow(summaries: Sequence[Summary]) -> int:
    wanted = wire_columns(Summary)
    arrays = [pa.array([getattr(row, column.name) for row in summaries], schema((column,)).field(0).type) for column in wanted]
    stream = ipc_stream(pa.RecordBatch.from_arrays(arrays, schema=schema(wanted)))
    return len(zstandard.ZstdCompressor(level=3, write_checksum=True).compress(stream))
