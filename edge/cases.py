"""Declares a file of cases for a gateway's settings: which messages come, which rows are to come. `tinybeam edge test` runs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from edge.channels.read_off import NAMES
from program.settings import Settings, require, setting
from schemas.records import KINDS, Kind

MEAN = "mean"
"""Of a summary, beside its columns: its sum by its count. What is read off a state or a counter is there too."""
_FEW = (Kind.EVENTS, Kind.REJECTS)


class Case(Settings, frozen=True, kw_only=True):
    """Is one recording of messages and what becomes of it."""

    name: Annotated[str, setting("What it shows, as a sentence", min_length=1, example="a stuffy room is noticed at once")]
    messages: Annotated[tuple[str, ...], setting("Messages, each a line as `tinybeam edge try` takes it", min_length=1)]
    start: Annotated[Annotated[datetime, Meta(tz=True)], setting("When messages come that have no time")] = datetime(2026, 6, 1, tzinfo=UTC)
    expected: Annotated[
        tuple[dict[str, Any], ...], setting("Rows that come, in any order: their kind, and of their columns those that matter")
    ] = ()
    complete: Annotated[tuple[Kind, ...], setting("Kinds of which no rows may come but those that are expected")] = _FEW

    def __post_init__(self) -> None:
        for number, row in enumerate(self.expected, 1):
            where, kind = f"expected[{number}]", row.get("kind")
            require(kind in KINDS, f"{where}.kind must be one of {', '.join(KINDS)}, not {kind!r}")
            columns = [*KINDS[str(kind)].record.__annotations__, *([MEAN, *NAMES] if kind == Kind.SUMMARIES else [])]
            for name in row.keys() - {"kind"} - set(columns):
                require(False, f"{where}.{name}: {kind} have no such column; theirs are {', '.join(columns)}")


class CaseFile(Settings, frozen=True, kw_only=True):
    """Is the whole file."""

    config: Annotated[Path | None, setting("The gateway's file. None: gateway.toml beside this one")] = None
    cases: Annotated[tuple[Case, ...], setting("The cases", min_length=1)]
