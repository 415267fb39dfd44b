"""Says in sentences what a batch run read, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NAMESPACE = "tinybeam"
METRICS = {
    "messages": ("counter", "Messages read, from Pub/Sub or export files"),
    "batches": ("counter", "Batches that had not come before"),
    "repeated": ("counter", "Batches that had come before, and were dropped"),
    "rows/TABLE": ("counter", "Rows on their way into a table; a retried bundle counts again"),
    "rejects/REASON": ("counter", "What was set aside, by reason"),
    "doubted/REASON": ("counter", "Messages that nothing proves to be of their gateway, by reason; --require_signatures=warn takes them"),
    "late_appends/TABLE": ("counter", "How often rows of a table had waited for another five minutes; the log says why"),
    "batch_age_seconds": ("distribution", "Age of batches that had not come before, since the gateway cut them, when they are decoded"),
}
"""Kind and meaning of each metric of the pipeline, in this namespace."""

NO_REASON = "(no known form)"
"""Stands for reasons that no program of ours writes: a gateway gone mad must not fill the screen, nor make a counter for each row."""

_REASON = re.compile(r"[a-z][a-z0-9_]{0,39}")


def counted_reason(reason: str) -> str:
    """Returns the name under which a reject of that reason is counted: gateways write reasons, too."""
    return reason if _REASON.fullmatch(reason) else NO_REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Holds how many messages were read, how many of their batches were fresh or repeated, and how many rows went to which table."""

    messages: int
    batches: int
    repeated: int
    rows: Mapping[str, int]
    rejects: Mapping[str, int]
    """Rejects by reason; those that became rows of rejects_v1 are in `rows` too."""

    @classmethod
    def of(cls, counters: Mapping[str, int]) -> Counts:
        """Reads counters by name: messages, batches, repeated, rows/TABLE, rejects/REASON."""
        named = {part: {name.removeprefix(part): value for name, value in counters.items() if name.startswith(part)} for part in _PARTS}
        return cls(
            messages=counters.get("messages", 0),
            batches=counters.get("batches", 0),
            repeated=counters.get("repeated", 0),
            rows=named["rows/"],
            rejects=named["rejects/"],
        )

    @property
    def set_aside(self) -> int:
        """Counts the messages that became rejects whole: no batches, and batches under the name of another."""
        return self.messages - self.batches - self.repeated

    def sentences(self) -> Iterator[str]:
        """Yields the lines that a batch run ends with."""
        yield f"read {self.messages:,} messages: {self.batches:,} batches, {self.repeated:,} repeated, {self.set_aside:,} set aside"
        width = max(map(len, self.rows), default=0)
        for table, rows in sorted(self.rows.items()):
            yield f"{table:{width}} {rows:>12,} rows"
        if self.rejects:
            reasons = sorted(self.rejects.items(), key=lambda pair: (-pair[1], pair[0]))
            yield "rejects: " + ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        else:
            yield "rejects: none"


_PARTS = ("rows/", "rejects/")
