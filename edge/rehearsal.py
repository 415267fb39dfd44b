"""Runs a case of messages through a gateway's settings, and says in what the rows that come differ from those that are expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge import dry_run
from edge.cases import MEAN, Case
from edge.channels.read_off import read_off
from edge.config import Config
from edge.recording import BadLines, read_recording
from program.settings import require
from schemas.records import Kind

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Numbers are equal so far: summaries hold sums of floats."""
_LISTED = 10

Row = Mapping[str, Any]


def differences(case: Case, config: Config, directory: Path) -> list[str]:
    """Returns a line for each row that is missing and each that is too many. Raises ConfigError for messages that are none."""
    bad = BadLines()
    messages = list(dry_run.timed(config, read_recording((line.encode() for line in case.messages), config, bad), lambda: case.start))
    require(not bad.count, f"messages: {bad}")
    with dry_run.dry_run(config, messages, directory) as store:
        rows = [_whole(kind, row) for kind, row in dry_run.rows(store)]
    return list(_lines(case, rows))


def _whole(kind: str, row: Row) -> Row:
    return {"kind": kind, **row, **({MEAN: row["sum"] / row["count"], **read_off(row)} if kind == Kind.SUMMARIES else {})}


def _lines(case: Case, rows: Sequence[Row]) -> Iterator[str]:
    """An expectation that is met takes a row; what is left on either side is said."""
    owners = pairs(case.expected, rows)
    missing = [expected for number, expected in enumerate(case.expected) if number not in owners.values()]
    too_many = [row for number, row in enumerate(rows) if number not in owners and row["kind"] in case.complete]
    for expected in missing:
        yield f"missing: {' '.join(f'{name}={_text(value)}' for name, value in expected.items())}"
    for row in too_many:
        yield f"unexpected: {row['kind']} {dry_run.sentence(row['kind'], row)}"
    # What else came of the missing kinds is what one looks for then.
    kinds = {expected["kind"] for expected in missing} - set(case.complete)
    others = [row for number, row in enumerate(rows) if number not in owners and row["kind"] in kinds]
    for row in others[:_LISTED]:
        yield f"came: {row['kind']} {dry_run.sentence(row['kind'], row)}"


def pairs(expected: Sequence[Row], rows: Sequence[Row]) -> dict[int, int]:
    """Returns for rows the expectation that each meets, for as many as can be: a maximum matching, by augmenting paths."""
    owners: dict[int, int] = {}

    def place(wanted: int, seen: set[int]) -> bool:
        for number, row in enumerate(rows):
            if number not in seen and _meets(row, expected[wanted]):
                seen.add(number)
                if number not in owners or place(owners[number], seen):
                    owners[number] = wanted
                    return True
        return False

    for wanted in range(len(expected)):
        place(wanted, set())
    return owners


def _meets(row: Row, expected: Row) -> bool:
    return all(_is_equal(row.get(name), value) for name, value in expected.items())


def _is_equal(came: Any, wanted: Any) -> bool:
    if isinstance(came, datetime):
        moment = wanted if isinstance(wanted, datetime) else _moment(wanted)
        return moment is not None and came == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if isinstance(came, int | float) and isinstance(wanted, int | float) and not isinstance(came, bool):
        return math.isclose(came, wanted, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    if isinstance(came, dict) and isinstance(wanted, dict):
        return all(_is_equal(came.get(name), value) for name, value in wanted.items())
    return bool(came == wanted)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
