"""Reads off a summary's row what a state or a counter did in its window, for people who try their settings out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from edge.channels import ChannelKind, CounterChannel, StateChannel
from schemas.envelope import micros
from schemas.points import Point

_KINDS: Mapping[str, type[StateChannel | CounterChannel]] = {kind.WORD: kind for kind in get_args(ChannelKind)}
NAMES = tuple(name for kind in _KINDS.values() for name in kind.READ_OFF)
"""What may be read off."""
_IN_UNITS = ("increase",)
"""What of it is in the channel's unit."""


def read_off(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the kind of the row's channel tells, by its names; nothing of a number."""
    kind = row.get("channel_kind")
    if kind is None:
        return {}
    start_us = micros(row["window_start"])
    offsets, values = row["point_offsets_us"], row["point_values"]
    points = [Point(start_us + offset, value) for offset, value in zip(offsets, values, strict=True)]
    return _KINDS[kind].read_off(row, points, start_us)


def sentence(row: Mapping[str, Any]) -> str:
    """Writes what is read off, empty of a number."""
    units = dict.fromkeys(_IN_UNITS, f" {row['unit']}")
    return ", ".join(f"{name} {_shown(value)}{units.get(name, '')}".rstrip() for name, value in read_off(row).items())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {inner:g}" for name, inner in value.items())
    return "unknown" if value is None else f"{value:g}"
