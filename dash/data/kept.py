"""Keeps answers for who asks the same soon, within bounds: so many answers, and so many rows in all of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST_ANSWERS, MOST_ROWS_KEPT = 512, 200_000
"""What was used longest ago goes first. An answer of more rows is not kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Holds the rows of a query, when it was asked, and how many bytes the service read for it, None if it does not say."""

    rows: tuple[Mapping[str, Any], ...]
    asked_time: datetime
    bytes_read: int | None


class Kept:
    """Holds answers by a key. Is used by one thread at a time."""

    def __init__(self) -> None:
        self._answers: OrderedDict[object, Answer] = OrderedDict()
        self._rows = 0

    def get(self, key: object, since: datetime) -> Answer | None:
        """Returns an answer that was asked after a time."""
        kept = self._answers.get(key)
        if kept is None or kept.asked_time <= since:
            return None
        self._answers.move_to_end(key)
        return kept

    def put(self, key: object, answer: Answer) -> None:
        if (replaced := self._answers.pop(key, None)) is not None:
            self._rows -= len(replaced.rows)
        self._answers[key] = answer
        self._rows += len(answer.rows)
        while self._rows > MOST_ROWS_KEPT or len(self._answers) > MOST_ANSWERS:
            _, gone = self._answers.popitem(last=False)
            self._rows -= len(gone.rows)

    def clear(self) -> None:
        self._answers.clear()
        self._rows = 0
