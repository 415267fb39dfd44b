"""Asks the warehouse how releases do, and tells it what was decided: by `tinybeam sql` in a child: who publishes needs no client of it.

The child finds the warehouse by our environment, as every command of `tinybeam sql` does.
"""

from __future__ import annotations

from datetime import datetime

from program.child import ChildFailed, answer
from releases.error import ReleaseError

QUESTION = "releases_side_by_side"
_SECONDS = 900.0


def health(from_time: datetime) -> str:
    """Returns the rows of release_health as JSON, of what was judged since. Raises ReleaseError."""
    try:
        return answer("sql", "query", QUESTION, "--json", "--param", f"from_time={from_time.isoformat()}", seconds=_SECONDS)
    except ChildFailed as failed:
        raise ReleaseError(f"the warehouse does not say how releases do: {failed}") from failed


def keep(decision: str) -> None:
    """Adds a decision, as JSON, to release_decisions_v1. Raises ReleaseError."""
    try:
        answer("sql", "decision", seconds=_SECONDS, given=decision)
    except ChildFailed as failed:
        raise ReleaseError(f"the decision holds, and the warehouse was not told of it: {failed}") from failed
