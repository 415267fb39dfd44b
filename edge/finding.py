"""Says what `tinybeam edge doctor` found of one thing that a gateway needs; each room and each kind of uplink yields its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from program.files import is_visible


class Status(StrEnum):
    """Says how a thing is. A warning is no failure: a gateway may be offline for days."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """Says how one thing is; `advice` is what to do, empty if nothing."""

    name: str
    status: Status
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def of_secret(setting: str, file: Path) -> Finding:
    """Says whether the file of a setting is there, and for its owner only."""
    if not is_visible(file):
        return Finding(
            "keys", Status.FAIL, f"{setting}: there is no file {file} that this user may see", "put it there, or correct the setting"
        )
    if file.stat().st_mode & 0o077:
        return Finding("keys", Status.FAIL, f"{setting} {file} can be read by others", f"chmod 600 {file}")
    return Finding("keys", Status.OK, f"{setting} is for its owner only")
