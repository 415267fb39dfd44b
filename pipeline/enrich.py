"""Adds to every row the site where its device stood at the row's event time; rows of devices that stood nowhere are set aside.

One as-of join for all rows, vectorised. Kinds without a device of a sensor (heartbeats, rejects) get no site and lose nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pyarrow as pa

from pipeline.elements import RejectedRows, RowGroup
from schemas.arrow import wire_columns
from schemas.envelope import micros
from schemas.records import KINDS, Device
from schemas.registry import Registry

_NO_END = datetime.max.replace(tzinfo=UTC)


class Sites:
    """Lays the registry out for joins: `Sites(registry).of(devices, times)`.

    It has one entry per placement of a device, ordered by device and start.
    """

    def __init__(self, registry: Registry) -> None:
        placements = sorted(registry.devices, key=_device_and_start)
        self._ranks = {device_id: rank for rank, device_id in enumerate(sorted({placement.device_id for placement in placements}))}
        self._sites = pa.array([placement.site_id for placement in placements], pa.string())
        self._ends = np.array([micros(placement.valid_to or _NO_END) for placement in placements], np.int64)
        starts = np.array([micros(placement.valid_from) for placement in placements], np.int64)
        self._starts = np.sort(starts)
        self._base = len(starts) + 1
        self._keys = self._key(pa.array([placement.device_id for placement in placements], pa.string()), starts)

    def of(self, devices: pa.Array, times: pa.Array) -> pa.Array:
        """Returns the site of each device at each time, null where it stood on none."""
        if not len(self._keys):
            return pa.nulls(len(devices), pa.string())
        moments = times.view(pa.int64()).to_numpy()
        keys = self._key(devices, moments)
        nearest = np.searchsorted(self._keys, keys, side="right") - 1
        same_device = self._keys[nearest] // self._base == keys // self._base
        placed = (nearest >= 0) & (keys >= 0) & same_device & (moments < self._ends[nearest])
        return self._sites.take(pa.array(nearest, mask=~placed))

    def _key(self, devices: pa.Array, moments: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Packs device and rank of the time into one integer, for one binary search for the placement; negative for an unknown device."""
        names = devices.dictionary_encode(null_encoding="encode")  # its cost does not grow with the registry
        ranks = np.array([self._ranks.get(name, -1) for name in names.dictionary.to_pylist()], np.int64)
        device = ranks[names.indices.to_numpy()]
        return device * self._base + np.searchsorted(self._starts, moments, side="right") * (device >= 0)


def enrich(row_group: RowGroup, sites: Sites) -> tuple[RowGroup, list[RejectedRows]]:
    """Returns the rows whose site is known, `site_id` added, and the others."""
    kind, rows = row_group.kind, row_group.rows
    if not _is_of_devices(kind):
        return _with_site(row_group, rows, pa.nulls(rows.num_rows, pa.string())), []
    site_ids = sites.of(rows.column("device_id"), rows.column(KINDS[kind].event_time))
    if not site_ids.null_count:
        return _with_site(row_group, rows, site_ids), []
    unknown, known = site_ids.is_null(), site_ids.is_valid()
    rejected = RejectedRows("unknown_device", "the registry knows no site of the device at the time of the row", rows.filter(unknown))
    return _with_site(row_group, rows.filter(known), site_ids.filter(known)), [rejected]


@cache
def _is_of_devices(kind: str) -> bool:
    return any(column.name == "device_id" and not column.nullable for column in wire_columns(KINDS[kind].record))


def _with_site(row_group: RowGroup, rows: pa.RecordBatch, sites: pa.Array) -> RowGroup:
    return row_group.with_rows(rows.append_column("site_id", sites))


def _device_and_start(placement: Device) -> tuple[str, datetime]:
    return placement.device_id, placement.valid_from
