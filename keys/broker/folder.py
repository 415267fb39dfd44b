"""Puts into one folder all that mosquitto reads, from what an authority has issued; once more whenever that changes.

Guarantees that each file is whole at any time, and that those with secrets are for the owner of the folder alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys import private_files
from keys.authority import ROOT, Authority
from keys.broker import configuration as written
from keys.broker import passwords
from keys.broker.configuration import Listeners
from keys.error import KeysError
from keys.holder import Holder, Role
from keys.issued import Issued

_HOLDER = "broker"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFolder:
    """Names the folder, the authority's, and what is to stand in the configuration."""

    folder: Path
    authority: Path
    hosts: Sequence[str]
    listeners: Listeners
    topics: Sequence[str] = ("sensors/%u/#",)

    def write(self, now: datetime) -> str:
        """Writes every file. Returns what decides who is let in, so that a change of it can be noticed. Raises KeysError."""
        authority, folder = Authority(self.authority), self.folder.absolute()
        private_files.make_folder(folder)
        own, _ = authority.keep(folder / written.IDENTITY, Holder(_HOLDER, Role.SERVER, self.hosts), now)
        issued = authority.issued.all()
        gateways = _gateways(issued, now)
        self._refuse_names_of_gateways(gateways)
        text = written.configuration(folder, self.listeners)
        for name, content in (
            (written.AUTHORITY, private_files.read(self.authority / ROOT)),
            (written.REVOKED, private_files.read(authority.revoked_file)),
            (written.ACCESS, written.access(gateways, self.topics).encode()),
            (written.CONFIGURATION, text.encode()),
        ):
            _replace(folder / name, content)
        if self.listeners.password_port and not (folder / written.PASSWORDS).exists():
            private_files.write(folder / written.PASSWORDS, b"")
        return _admission(issued, own.certificate.serial_number, passwords.names(folder / written.PASSWORDS), now)

    def _refuse_names_of_gateways(self, gateways: Sequence[str]) -> None:
        file = self.folder / written.PASSWORDS
        if both := sorted({*gateways} & {*passwords.names(file)}):
            raise KeysError(f"{both[0]!r} is a gateway and has a password in {file}, with which it would read as a gateway does")


def _replace(file: Path, content: bytes) -> None:
    """Leaves a file alone that holds it already: it is looked at often."""
    if not file.exists() or private_files.read(file) != content:
        private_files.write(file, content)


def _gateways(issued: Sequence[Issued], now: datetime) -> list[str]:
    return sorted({one.holder.name for one in issued if one.holder.role == Role.GATEWAY and one.state(now) == "valid"})


def _admission(issued: Sequence[Issued], own: int, names: Sequence[str], now: datetime) -> str:
    """Describes who may not come in any more, who reads, and whom the broker says it is."""
    out = sorted(f"{one.serial:x}" for one in issued if one.state(now) != "valid")
    return " ".join([f"{own:x}", *_gateways(issued, now), *names, *out])
