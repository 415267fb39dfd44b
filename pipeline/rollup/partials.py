"""Holds the partial summaries of a site's channel in an hour, in columns, each under an identity: what comes again changes nothing.

All that a rollup needs of a row stays, for which rows count is known only when all gateways are heard: 92 bytes a row with one range of
sequence numbers. Twenty devices with a row a minute are 110 kB an hour, five hundred 2.8 MB. Merged rows are in order of their identity, so
the same rows give the same sums to the last bit, however they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.elements import RowGroup
from pipeline.rollup.hours import Integers, by_hour, starts_of
from pipeline.rollup.stats import Key
from pipeline.state import StateFormat
from schemas import moments

MOMENTS = tuple(field.name for field in fields(moments.MomentColumns))

_ROW = np.dtype(
    [
        ("identity", "<u8"),
        ("device", "<i4"),
        ("gateway", "<i4"),
        ("start", "<i8"),
        ("seconds", "<i8"),
        ("count", "<i8"),
        ("sum", "<f8"),
        ("m2", "<f8"),
        ("min", "<f8"),
        ("max", "<f8"),
        ("numbers", "<i4"),
    ]
)
_NUMBER = np.dtype("<i8")
_WORD = np.dtype("<u4")
"""Rows are brought together word by word: field by field, as numpy does by itself, takes a hundred times as long."""

_Rows = np.ndarray[tuple[int], np.dtype[np.void]]


class PackedPartials(NamedTuple):
    """Is the form in which partial summaries are stored: names, then the bytes of the rows and of their ranges."""

    devices: tuple[str, ...]
    gateways: tuple[str, ...]
    rows: bytes
    ranges: bytes


PARTIALS = StateFormat("partials", 1, PackedPartials)


@dataclass(frozen=True, slots=True)
class Partials:
    """Holds rows and, flat, the sequence numbers of all: `numbers` of each row.

    A row's `device` and `gateway` are places in the names, `start` is in microseconds since 1970.
    """

    devices: tuple[str, ...]
    gateways: tuple[str, ...]
    rows: _Rows
    ranges: Integers

    def pack(self) -> bytes:
        return PARTIALS.pack(PackedPartials(self.devices, self.gateways, self.rows.tobytes(), self.ranges.tobytes()))

    @classmethod
    def unpack(cls, packed: bytes) -> Partials:
        devices, gateways, rows, ranges = PARTIALS.unpack(packed) or _NONE
        return cls(devices, gateways, np.frombuffer(rows, _ROW), np.frombuffer(ranges, _NUMBER))

    def moments(self, places: npt.NDArray[np.intp]) -> moments.MomentColumns:
        """Returns the moments of the rows at these places."""
        return moments.MomentColumns(*(self.rows[name][places] for name in MOMENTS))


_NONE = PackedPartials((), (), b"", b"")


def merge(several: Sequence[Partials]) -> Partials:
    """Returns each row of all once, in order of identity; names are in alphabetical order."""
    rows = np.concatenate([one.rows.view(_WORD) for one in several]).view(_ROW)
    sizes = [len(one.rows) for one in several]
    devices, rows["device"] = _renamed([one.devices for one in several], sizes, rows["device"])
    gateways, rows["gateway"] = _renamed([one.gateways for one in several], sizes, rows["gateway"])
    places = _distinct(rows["identity"])
    ranges = _lists_at(places, np.concatenate([one.ranges for one in several]), rows["numbers"])
    return Partials(devices, gateways, rows.take(places), ranges)


def partials(row_group: RowGroup) -> Iterator[tuple[Key, Partials]]:
    """Yields what summaries with their sites add to each site, channel, unit and hour. A row belongs to the hour in which it starts."""
    if row_group.rows.num_rows:
        groups = by_hour(row_group.rows, ("site_id", "channel", "unit"))
        ordered = _Ordered.of(row_group.rows, groups.order)
        for key, first, end in zip(groups.keys, groups.starts, [*groups.starts[1:], len(groups.order)], strict=True):
            yield Key(*key), ordered.between(first, end)


@dataclass(frozen=True, slots=True)
class _Ordered:
    """Holds the rows of many hours in order, and where the ranges of each begin."""

    devices: list[str]
    gateways: list[str]
    rows: _Rows
    ranges: Integers
    range_starts: Integers

    @classmethod
    def of(cls, rows: pa.RecordBatch, order: Integers) -> _Ordered:
        device, gateway = (rows.column(name).dictionary_encode() for name in ("device_id", "gateway_id"))
        ranges = rows.column("seq_ranges").take(pa.array(order))
        range_starts = ranges.offsets.to_numpy().astype(np.int64) - ranges.offsets[0].as_py()
        columns = {name: rows.column(name).to_numpy() for name in MOMENTS} | {
            "identity": _identities(rows),
            "device": device.indices.to_numpy(),
            "gateway": gateway.indices.to_numpy(),
            "start": starts_of(rows),
            "seconds": rows.column("window_seconds").to_numpy(),
        }
        ordered = np.empty(rows.num_rows, _ROW)
        for name, values in columns.items():
            ordered[name] = values[order]
        ordered["numbers"] = np.diff(range_starts)
        return cls(device.dictionary.to_pylist(), gateway.dictionary.to_pylist(), ordered, ranges.flatten().to_numpy(), range_starts)

    def between(self, first: int, end: int) -> Partials:
        rows = self.rows[first:end].view(_WORD).copy().view(_ROW)
        devices, rows["device"] = np.unique(rows["device"], return_inverse=True)
        gateways, rows["gateway"] = np.unique(rows["gateway"], return_inverse=True)
        ranges = self.ranges[self.range_starts[first] : self.range_starts[end]]
        return Partials(_at(self.devices, devices), _at(self.gateways, gateways), rows, ranges)


def _identities(rows: pa.RecordBatch) -> npt.NDArray[np.uint64]:
    """Returns 64 bits of (batch_id, row). Of the rows of ten thousand batches two are alike in one of 2^29 hours or fewer."""
    batches = rows.column("batch_id").dictionary_encode()
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in batches.dictionary.to_pylist())
    of_batches: npt.NDArray[np.uint64] = np.frombuffer(digests, "<u8")[batches.indices.to_numpy()]
    return of_batches + rows.column("row").to_numpy().astype(np.uint64)


def _distinct(identities: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """Returns the place of each identity, in ascending order."""
    order = np.argsort(identities)
    ascending = identities[order]
    repeated = ascending[1:] == ascending[:-1]
    return order[np.concatenate(([True], ~repeated))] if repeated.any() else order


def _renamed(names: list[tuple[str, ...]], sizes: list[int], codes: npt.NDArray[np.int32]) -> tuple[tuple[str, ...], Integers]:
    """Brings names together; returns them and the codes, of which each list of names had some, as places in them."""
    together = tuple(sorted(set().union(*names)))
    places = {name: place for place, name in enumerate(together)}
    begins = np.cumsum([0, *map(len, names)])[:-1]
    table = np.array([places[name] for some in names for name in some], np.int64)
    return together, table[codes + np.repeat(begins, sizes)]


def _lists_at(places: npt.NDArray[np.intp], values: Integers, lengths: npt.NDArray[np.int32]) -> Integers:
    """Returns the values of the lists at these places, one list after the other."""
    begins, wanted = np.cumsum(lengths, dtype=np.int64)[places] - lengths[places], lengths[places].astype(np.int64)
    within = np.arange(wanted.sum()) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    taken: Integers = values[within + np.repeat(begins, wanted)]
    return taken


def _at(names: list[str], places: npt.NDArray[np.int32]) -> tuple[str, ...]:
    return tuple(names[place] for place in places.tolist())
