"""Says how certificates stand: until when they are good, when they are renewed, and which need somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from keys import identity
from keys.error import KeysError


class State(StrEnum):
    """Says how an identity is, best first."""

    GOOD = "good"
    DUE = "due"
    """It should have been renewed: two thirds of its life and more are over."""
    EXPIRED = "expired"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Standing:
    """`sentence` says it for a person."""

    file: Path
    state: State
    sentence: str
    name: str = ""
    end: datetime | None = None
    renewal: datetime | None = None

    def as_dict(self) -> Mapping[str, str | None]:
        ends = {name: value.isoformat() if value else None for name, value in (("end", self.end), ("renewal", self.renewal))}
        return {"file": str(self.file), "name": self.name, "state": self.state, **ends, "sentence": self.sentence}


def standing(file: Path, now: datetime) -> Standing:
    """Reads the file of a key and its certificate, and says how it is."""
    try:
        found = identity.read(file)
    except KeysError as error:
        return Standing(file, State.UNUSABLE, str(error))
    if file.stat().st_mode & 0o077:
        return Standing(file, State.UNUSABLE, f"{file} can be read by others: chmod 600 {file}", found.name, found.end)
    renewal = found.renewal_time(1.0)
    state = State.EXPIRED if now > found.end else State.DUE if now > renewal else State.GOOD
    until = f"{found.name} is good until {found.end:%Y-%m-%d %H:%M} UTC"
    sentences = {
        State.GOOD: f"{until}, and is renewed before {renewal:%Y-%m-%d}",
        State.DUE: f"{until}, and was to be renewed before {renewal:%Y-%m-%d}: `tinybeam keys renew {file}`",
        State.EXPIRED: f"{found.name} expired on {found.end:%Y-%m-%d %H:%M} UTC: enroll it again",
    }
    return Standing(file, state, sentences[state], found.name, found.end, renewal)
