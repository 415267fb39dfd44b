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


def machine(root: Path = Path("/")) -> str:
    """Names the hardware: its serial number, else the addresses of its network cards, else what was installed; empty if nothing tells."""
    for serial in _SERIALS:
        if text := _text(root / serial[1:]):
            return _short(text)
    interfaces = root / _INTERFACES[1:]
    cards = sorted(_text(card / "address") for card in interfaces.glob("*") if (card / "device").exists()) if interfaces.is_dir() else []
    named = "".join(cards) or _text(root / _INSTALLED[1:])
    return _short(named) if named else ""


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
