"""When each device was heard last, and by which gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dash.data.warehouse import Questions

SILENT_AFTER = timedelta(minutes=90)
"""A gateway may hold the windows of a device that does not change for an hour, and its batches wait for a quarter of one: a device of which
so much is not heard is silent.
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """A device of the registry; `gateway_id` heard it last, None for both if nobody ever did."""

    device_id: str
    name: str
    kind: str
    site_id: str
    gateway_id: str | None
    last_heard: datetime | None

    def is_silent(self, now: datetime) -> bool:
        return self.last_heard is None or now - self.last_heard >= SILENT_AFTER


def read(questions: Questions, now: datetime) -> tuple[Heard, ...]:
    """Returns every device of the viewer's sites once, by site and identifier. Raises Unreachable."""
    latest: dict[str, Heard] = {}
    for row in questions.query("devices", moment=now):
        latest.setdefault(row["device_id"], Heard(**row))
    return tuple(latest.values())
