"""Reads the bytes of an export file as rows, for both peers: opened by our reader, taken apart by pyarrow. Runs in their environments."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.body import rows_of
from schemas.envelope import entries
from schemas.registry import Registry

Row = dict[str, Any]
Entry = tuple[dict[str, str], bytes]


def read(export_file: Path) -> Iterator[Entry]:
    """Yields the entries of an export file. Raises ValueError for broken bytes."""
    with export_file.open("rb") as file:
        for item in entries(file):
            if isinstance(item, bytes):
                raise ValueError(f"{export_file} has broken bytes")  # noqa: TRY004 - the file's fault, not a type's
            yield item


def name(entry: Entry) -> str:
    return f"{entry[0]['gateway_id']}:{entry[0]['epoch']}:{entry[0]['seq']}"


def rows(entry: Entry) -> Iterator[Row]:
    """Yields the rows of a batch, with their dedup key."""
    placement = {"batch_id": name(entry), "gateway_id": entry[0]["gateway_id"]}
    for number, row in enumerate(rows_of(entry[1]).to_pylist()):
        yield {**placement, "row": number, **row}


def sites(registry: Path) -> dict[str, str]:
    return {device.device_id: device.site_id for device in Registry.load(registry).devices}


def main(run: Callable[[Path, Path], tuple[int, int]]) -> None:
    """`python ... TINY_FILE FILE REGISTRY`: warms up on the tiny file, runs the other, and prints rows, windows and processor seconds."""
    tiny, export_file, registry = map(Path, sys.argv[1:4])
    run(tiny, registry)
    begin = time.process_time()
    counted, windows = run(export_file, registry)
    print(json.dumps({"rows": counted, "windows": windows, "seconds": time.process_time() - begin}))
