"""The files of a fleet, checked by themselves and against each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from configuration.fleet import Finding, read
from configuration.relations import RELATIONS


def check(files: Iterable[Path]) -> list[Finding]:
    """All that is wrong, file by file. Raises UsageError."""
    fleet, findings = read(files)
    return findings + [finding for find in RELATIONS for finding in find(fleet)]
