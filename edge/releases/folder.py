"""Keeps the releases of one model on disk: their bundles, which runs, which ran before, and which are refused.

    MODEL/12/          a bundle that was verified and has met its golden cases
    MODEL/12.part/     one that is being fetched
    MODEL/13.refused   why that release is not to run here, for ever
    MODEL/14.postponed why that release does not run yet, and until when it waits
    MODEL/offer.json   what this gateway is to run, as it was last told
    MODEL/state.json   what it runs

Guarantees that each of these is there whole or not at all, whenever the process is killed or the power goes: a folder gets its name when
its files are durable, a file replaces another at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from random import Random
from time import time
from typing import TypeVar

import msgspec

from edge.models.scorer import ScorerLate
from edge.releases.choice import Offer, State
from edge.releases.postponement import MAX_TRIES, Postponed, postponed
from program import logs
from program.files import make_folder, sync_folder, write_durably

_REFUSED, _POSTPONED = ".refused", ".postponed"

Content = TypeVar("Content", bound=msgspec.Struct)
Clock = Callable[[], float]
"""Returns the seconds since 1970."""

_log = logs.get(__name__)


class ReleaseFolder:
    """Is used by a gateway and by the children that fetch for it: these write bundles, refusals and the offer, the gateway the state."""

    def __init__(self, directory: Path, model: str, clock: Clock = time, rng: Random | None = None) -> None:
        self.model, self._folder = model, directory / model
        self._clock, self._rng = clock, rng or Random()

    @property
    def state(self) -> State:
        return _read(self._folder / "state.json", State) or State()

    @property
    def offer(self) -> Offer | None:
        return _read(self._folder / "offer.json", Offer)

    def write_state(self, state: State) -> None:
        """Raises OSError."""
        self._write("state.json", msgspec.json.encode(state))

    def write_offer(self, offer: Offer) -> None:
        """Raises OSError."""
        if offer != self.offer:
            self._write("offer.json", msgspec.json.encode(offer))

    def bundle(self, number: int) -> Path:
        return self._folder / str(number)

    def has(self, number: int) -> bool:
        return self.bundle(number).is_dir()

    def staging(self, number: int) -> Path:
        """Returns an empty folder to fetch into, and deletes what was not fetched whole. Raises OSError."""
        for found in self._listed():
            if found.suffix == ".part" and found.is_dir():
                shutil.rmtree(found)
        staging = self._folder / f"{number}.part"
        make_folder(staging)
        return staging

    def commit(self, number: int) -> None:
        """Gives what was fetched its name: its files are durable. Raises OSError."""
        (self._folder / f"{number}.part").rename(self.bundle(number))
        sync_folder(self._folder)

    def numbers(self) -> list[int]:
        """Returns the releases whose bundles are there."""
        return sorted(int(found.name) for found in self._listed() if found.name.isdecimal() and found.is_dir())

    def refused(self) -> Mapping[int, str]:
        """Returns the releases that are not to run here, with the reasons."""
        return {number: _text(file) for number, file in self._notes(_REFUSED).items()}

    def refuse(self, number: int, reason: str) -> None:
        """Notes that a release is not to run here. Raises OSError."""
        _log.error("release %d of %s is not run: %s", number, self.model, reason)
        self._write(f"{number}{_REFUSED}", reason.encode())
        self.end_postponement(number)

    def postponed(self) -> Mapping[int, Postponed]:
        """Returns the releases for which the machine was too slow, and which are not proved since."""
        return {number: each for number, file in self._notes(_POSTPONED).items() if (each := _read(file, Postponed))}

    def set_aside(self, number: int, fault: Exception, what: str = "") -> None:
        """Refuses a release that failed, for ever; postpones one that was too slow. `what` happened to it begins the reason.

        Raises OSError.
        """
        note = self.postpone if isinstance(fault, ScorerLate) else self.refuse
        note(number, f"{what}: {fault}" if what else str(fault))

    def postpone(self, number: int, reason: str) -> None:
        """Notes that a release is to be tried again later; after too many tries it is refused. Raises OSError."""
        later = postponed(self.postponed().get(number), reason, self._clock(), self._rng)
        if later is None:
            self.refuse(number, f"{reason}, {MAX_TRIES} times")
            return
        _log.warning("release %d of %s is tried again in %.0f s: %s", number, self.model, later.until - self._clock(), reason)
        self._write(f"{number}{_POSTPONED}", msgspec.json.encode(later))

    def end_postponement(self, number: int) -> None:
        """Forgets that a release was too slow. Raises OSError."""
        (self._folder / f"{number}{_POSTPONED}").unlink(missing_ok=True)

    def may_try(self, number: int) -> bool:
        """Says whether a release is neither refused nor waits."""
        later = self.postponed().get(number)
        return number not in self._notes(_REFUSED) and (later is None or later.is_over(self._clock()))

    def is_usable(self, number: int) -> bool:
        """Says whether a release is there and may be tried."""
        return self.has(number) and self.may_try(number)

    def waiting(self) -> Mapping[int, str]:
        """Returns the releases that are to run and do not yet, with the reasons; not those that are here and whose time has come."""
        offer, refused = self.offer or Offer(), self.refused()
        missing = {offer.release: offer.missing} if offer.release is not None and offer.missing else {}
        later = {number: f"{each.reason}; it is tried again" for number, each in self.postponed().items() if not self.is_usable(number)}
        return {number: reason for number, reason in (missing | later).items() if number not in refused}

    def prune(self, kept: Collection[int | None]) -> None:
        """Deletes bundles and postponements of all others: a bundle loses its name first, so that none is ever there by half."""
        for number in self._notes(_POSTPONED):
            if number not in kept:
                self.end_postponement(number)
        for number in self.numbers():
            if number not in kept:
                leaving = self._folder / f"{number}.part"
                shutil.rmtree(leaving, ignore_errors=True)
                self.bundle(number).rename(leaving)
                sync_folder(self._folder)
                shutil.rmtree(leaving, ignore_errors=True)

    def _notes(self, suffix: str) -> dict[int, Path]:
        """Returns the files that say something of a release, by its number."""
        files = sorted(found for found in self._listed() if found.suffix == suffix and found.stem.isdecimal())
        return {int(file.stem): file for file in files}

    def _listed(self) -> list[Path]:
        try:
            return list(self._folder.iterdir())
        except OSError:
            return []

    def _write(self, name: str, content: bytes) -> None:
        make_folder(self._folder)
        write_durably(self._folder / name, [content], self._folder / f".{name}.part")


def _read(file: Path, kind: type[Content]) -> Content | None:
    """Returns None for a file that is not there, or has rotted."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as fault:
        _log.error("%s cannot be read, and counts as not there: %s", file, fault)
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return "it was refused before"
