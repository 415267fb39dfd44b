"""Adds to every row the site where its device stood at the row's event time; rows of devices that stood nowhere are set aside.

One as-of join for all rows, vectorised. Kinds without a device of a sensor (heartbeats, rejects) get no site and lose nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pyarrow as pa

from pipeline.elements import Rejected, RowGroup
from schemas.arrow import wire_columns
from schemas.envelope import micros
from schemas.records import EVENT_TIME, KINDS, Device
from schemas.registry import Registry

_NO_END = datetime.max.replace(tzinfo=UTC)


class Sites:
    """The registry laid out for joins: one entry per stay of a device, ordered by device and start."""

    def __init__(self, registry: Registry) -> None:
        stays = sorted(registry.devices, key=_device_and_start)
        self._ranks = {device_id: rank for rank, device_id in enumerate(sorted({stay.device_id for stay in stays}))}
        self._sites = pa.array([stay.site_id for stay in stays], pa.string())
        self._ends = np.array([micros(stay.valid_to or _NO_END) for stay in stays], np.int64)
        starts = np.array([micros(stay.valid_from) for stay in stays], np.int64)
        self._starts = np.sort(starts)
        self._base = len(starts) + 1
        self._keys = self._key(pa.array([stay.device_id for stay in stays], pa.string()), starts)

    def of(self, devices: pa.Array, times: pa.Array) -> pa.Array:
        """The site of each device at each time, null where it stood on none."""
        if not len(self._keys):
            return pa.nulls(len(devices), pa.string())
        moments = times.view(pa.int64()).to_numpy()
        keys = self._key(devices, moments)
        stay = np.searchsorted(self._keys, keys, side="right") - 1
        same_device = self._keys[stay] // self._base == keys // self._base
        standing = (stay >= 0) & (keys >= 0) & same_device & (moments < self._ends[stay])
        return self._sites.take(pa.array(stay, mask=~standing))

    def _key(self, devices: pa.Array, moments: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Device and rank of the time in one integer, so that one binary search finds the stay; negative for an unknown device."""
        names = devices.dictionary_encode(null_encoding="encode")  # its cost does not grow with the registry
        ranks = np.array([self._ranks.get(name, -1) for name in names.dictionary.to_pylist()], np.int64)
        device = ranks[names.indices.to_numpy()]
        return device * self._base + np.searchsorted(self._starts, moments, side="right") * (device >= 0)


def enrich(gathered: RowGroup, sites: Sites) -> tuple[RowGroup, list[Rejected]]:
    """The rows whose site is known, `site_id` added, and the others."""
    kind, rows = gathered.kind, gathered.rows
    if not _is_of_devices(kind):
        return _with_site(gathered, rows, pa.nulls(rows.num_rows, pa.string())), []
    found = sites.of(rows.column("device_id"), rows.column(EVENT_TIME[kind]))
    if not found.null_count:
        return _with_site(gathered, rows, found), []
    unknown, known = found.is_null(), found.is_valid()
    refused = Rejected("unknown_device", "the registry knows no site of the device at the time of the row", rows.filter(unknown))
    return _with_site(gathered, rows.filter(known), found.filter(known)), [refused]


@cache
def _is_of_devices(kind: str) -> bool:
    return any(column.name == "device_id" and not column.nullable for column in wire_columns(KINDS[kind]))


def _with_site(gathered: RowGroup, rows: pa.RecordBatch, sites: pa.Array) -> RowGroup:
    return gathered.with_rows(rows.append_column("site_id", sites))


def _device_and_start(stay: Device) -> tuple[str, datetime]:
    return stay.device_id, stay.valid_from
