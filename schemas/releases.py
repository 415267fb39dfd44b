"""Says which version of the records the pipelines of earlier releases read, so that a newer gateway can write for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

EarlierPipeline = Literal["0.1", "0.2"]
"""Releases whose pipelines do not understand what a gateway of this version writes by itself: the two minor versions before."""

SCHEMA_VERSIONS: Mapping[EarlierPipeline, str] = {"0.1": "1.1", "0.2": "1.1"}
"""What the pipelines of a release read, by release."""

FIRST_IN_COLUMNS = "1.3"
"""Since this version of the records a body is columns with a dictionary, and an envelope is folded into its message."""


def is_before(version: str, other: str) -> bool:
    """Says whether a version of the records, `major.minor`, came before another."""
    return _numbers(version) < _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
