"""Counts what a replay finds, and says it in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pipeline.replay.elements import Left, Replayed


@dataclass(slots=True)
class Report:
    """Adds up what rejects give: `report.add(each)`; of those of which rows come in, it keeps what is to be marked."""

    rejects: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """New rows by kind."""
    left: Counter[str] = field(default_factory=Counter)
    """Rejects of which nothing comes in, by why."""
    rows_left: int = 0
    to_mark: dict[str, Replayed] = field(default_factory=dict)

    def add(self, each: Replayed | Left) -> None:
        self.rejects += each.reject_id not in self.to_mark
        if isinstance(each, Left):
            self.left[each.why] += 1
            return
        if each.new:
            self.kinds[each.new.envelope.kind] += each.new.rows.num_rows
        self.rows_left += each.rows_left
        before = self.to_mark.get(each.reject_id)
        rows_in = each.rows_in + (before.rows_in if before else 0)
        self.to_mark[each.reject_id] = replace(each, new=None, again=None, rows_in=rows_in)

    @property
    def rows(self) -> int:
        return self.kinds.total()

    def sentences(self, verb: str) -> Iterator[str]:
        """Yields the lines that a replay ends with; the verb is `came in` or `would come in`."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.kinds.items()))
        yield f"{self.rejects:,} rejects: {self.rows:,} rows {verb}" + (f" ({kinds})" if kinds else "")
        for why, count in _most_first(self.left):
            yield f"{count:>7,} rejects give nothing: {why}"
        if self.rows_left:
            yield f"{self.rows_left:>7,} rows stay set aside beside them"


def _most_first(counts: Counter[str]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
