"""Lets every stage forget the devices that are known no more. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from edge.intake.inbox import Inbox
from edge.store.section import Section
from edge.watcher import Watcher


class Stage(Protocol):
    """Remembers something of devices, in sections whose keys begin with their names."""

    @property
    def sections(self) -> Sequence[Section]: ...
    def forget(self, devices: Collection[str]) -> None: ...


class Forgetting:
    """Knows which stages remember. Usage: `forgetting.forget()` right before a cut that commits the sections of all stages."""

    def __init__(self, inbox: Inbox, stages: Sequence[Stage], watcher: Watcher) -> None:
        """`watcher` is told who is forgotten."""
        self._inbox, self._stages, self._watcher = inbox, stages, watcher
        inbox.adopt(_devices(section for stage in stages for section in stage.sections))
        inbox.adopt(_devices(inbox.sections))

    @property
    def sections(self) -> list[Section]:
        """Returns the sections that a cut has to commit with it."""
        return [*self._inbox.sections, *(section for stage in self._stages for section in stage.sections)]

    def forget(self) -> int:
        """Returns how many devices were forgotten."""
        gone = self._inbox.forgotten()
        for stage in self._stages if gone else ():
            stage.forget(gone)
        if gone:
            self._watcher.forgotten(gone)
        return len(gone)


def _devices(sections: Iterable[Section]) -> set[str]:
    return {key.partition("/")[0] for section in sections for key in section.items()}
