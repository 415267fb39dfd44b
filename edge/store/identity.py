"""Knows what a store cannot see from within: on which machine it is, and how far it had come when it was last seen.

A store whose card was copied into another box, or that was put back from a backup, would give out numbers a second time. What is kept here
lies beside the file: a store that is behind it went back in time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

_SERIALS = ("/sys/firmware/devicetree/base/serial-number", "/sys/class/dmi/id/product_uuid", "/sys/class/dmi/id/board_serial")
_INTERFACES = "/sys/class/net"
_INSTALLED = "/etc/machine-id"


@dataclass(frozen=True, slots=True)
class HighWater:
    """Says how far a store has come: the epoch, the numbers given out in it, and the journal that is closed."""

    epoch: int
    cut: int
    closed_window_end_us: int
    closed_journal_id: int
    earlier_epochs: tuple[int, ...] = ()

    @property
    def closed(self) -> dict[str, int]:
        """Returns the journal that is closed, as the store's state says it."""
        return {"closed_window_end_us": self.closed_window_end_us, "closed_journal_id": self.closed_journal_id}


def high_water_file(store: Path) -> Path:
    """Names the file beside a store that says how far it has come."""
    return store.with_name(store.name + ".high-water")


def machine(root: Path = Path("/")) -> str:
    """Names the hardware by all that can be read: serial number, addresses of network cards, what was installed; the strongest first.

    Not every user may read all of it: a serial number is often root's.
    """
    interfaces = root / _INTERFACES[1:]
    cards = sorted(_text(card / "address") for card in interfaces.glob("*") if (card / "device").exists()) if interfaces.is_dir() else []
    serial = next(filter(None, (_text(root / serial[1:]) for serial in _SERIALS)), "")
    found = {"serial": serial, "cards": "".join(cards), "installed": _text(root / _INSTALLED[1:])}
    return " ".join(f"{kind}={_short(text)}" for kind, text in found.items() if text)


def is_another(machine: str, other: str) -> bool:
    """Says whether two names, as `machine` gives them, are of two machines: the strongest evidence that both have decides."""
    ours, theirs = _evidence(machine), _evidence(other)
    return next((ours[kind] != theirs[kind] for kind in ours if kind in theirs), False)


def together(machine: str, other: str) -> str:
    """Returns the name with all that two of one machine tell."""
    return " ".join(f"{kind}={text}" for kind, text in {**_evidence(other), **_evidence(machine)}.items())


def _evidence(machine: str) -> dict[str, str]:
    return {kind: text for kind, separator, text in (part.partition("=") for part in machine.split()) if separator}


def read_high_water(file: Path) -> HighWater | None:
    """Returns what was kept; None if nothing was, or nothing that can be read."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(file.read_bytes(), type=HighWater)
    return None


def keep_high_water(file: Path, mark: HighWater) -> None:
    """Replaces the file whole. It is not synced: after a loss of power an older one says nothing wrong. A full disk is no fault here."""
    unfinished = file.with_suffix(".part")
    with suppress(OSError):
        unfinished.touch(0o600)
        unfinished.write_bytes(msgspec.json.encode(asdict(mark)))
        unfinished.replace(file)


def _text(file: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text().strip("\0 \n")
    return ""


def _short(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
