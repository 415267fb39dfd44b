"""Writes the last errors as rows: what was logged, and what was set aside, once for each reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from edge.page import words
from edge.page.log_tail import Logged
from edge.page.names import Names
from edge.page.recent import RejectNow
from presentation.wording import listed
from schemas.envelope import from_micros


def rows(logged: Sequence[Logged], rejects: Sequence[RejectNow], names: Names, now: datetime) -> list[tuple[str, str]]:
    """Returns times and sentences, the newest first."""
    found = [*((each.time_us, f"{each.level}: {each.sentence}") for each in logged), *_set_aside(rejects, names)]
    return [(words.clock(from_micros(time_us), now), sentence) for time_us, sentence in sorted(found, reverse=True)]


def _set_aside(rejects: Sequence[RejectNow], names: Names) -> Iterator[tuple[int, str]]:
    """Yields each reason with its last time and the devices that it was given."""
    for sentence in dict.fromkeys(each.sentence for each in rejects):
        same = [each for each in rejects if each.sentence == sentence]
        devices = sorted({names.device(each.device_id) for each in same})
        yield max(each.rejected_us for each in same), f"set aside, {listed(devices)}: {sentence}"
