"""Is what a fix gets to see and to change: a reject's message, or its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from pipeline.refused import STAGES
from pipeline.rejects import ipc_stream
from pipeline.replay.contents import rows_in
from pipeline.replay.elements import SetAside
from schemas.envelope import micros
from schemas.records import KINDS


@dataclass(frozen=True, slots=True)
class Message:
    """Is a reject as a fix sees it: `message.reason`, `message.attributes`, `message.rows`. Its `with_` methods give a changed one."""

    reject: SetAside

    @property
    def reject_id(self) -> str:
        return self.reject.reject_id

    @property
    def stage(self) -> str:
        return self.reject.stage

    @property
    def reason(self) -> str:
        return self.reject.reason

    @property
    def attributes(self) -> dict[str, str]:
        return dict(self.reject.attributes)

    @property
    def body(self) -> bytes:
        """Returns the original bytes: a message's body, or rows as an Arrow IPC stream."""
        return self.reject.body

    @property
    def rows(self) -> pa.RecordBatch:
        """Returns the rows, those of a message too. Raises Undecodable or what pyarrow raises if the bytes hold none."""
        return rows_in(self.stage, self.body)

    def with_attributes(self, **changes: str) -> Message:
        return Message(replace(self.reject, attributes={**self.reject.attributes, **changes}))

    def with_body(self, body: bytes) -> Message:
        return Message(replace(self.reject, body=body))

    def with_rows(self, rows: pa.RecordBatch) -> Message:
        """Returns it with other rows, those of a message packed as a gateway does, and its attributes made to fit."""
        raw = ipc_stream(rows)
        if self.stage not in STAGES:
            return self.with_body(raw)
        sizes = {"row_count": str(rows.num_rows), "raw_bytes": str(len(raw))}
        packed = self.with_body(zstandard.ZstdCompressor(level=3, write_checksum=True).compress(raw))
        return packed.with_attributes(**sizes, **self._times(rows))

    def _times(self, rows: pa.RecordBatch) -> dict[str, str]:
        kind = KINDS.get(self.attributes.get("kind", ""))
        if kind is None or kind.event_time not in rows.schema.names:
            return {}
        times = pc.min_max(rows.column(kind.event_time)).as_py()
        return {"time_min": str(micros(times["min"])), "time_max": str(micros(times["max"]))} if times["min"] else {}


def messages_of(returned: object) -> list[Message]:
    """Returns the messages that a fix returned: one, several, or None for none. Raises TypeError."""
    if returned is None or isinstance(returned, Message):
        return [returned] if returned else []
    several = list(returned) if isinstance(returned, Iterable) else [returned]
    messages = [each for each in several if isinstance(each, Message)]
    if len(messages) < len(several):
        raise TypeError("transform must return a message, a list of messages, or None")
    return messages
