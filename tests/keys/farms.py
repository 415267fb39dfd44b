"""An authority with holders, for the tests: what the commands make, by their functions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from keys import authority, enrolment
from keys.authority import ROOT, Authority
from keys.client import Client
from keys.holder import Holder, Role
from keys.serving import Serving


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Farm:
    """An authority in a folder, and the identities of holders beside it."""

    folder: Path

    def __post_init__(self) -> None:
        self.authority = authority.create(self.folder / "authority", "Mill farm", now())

    @property
    def trusted(self) -> Path:
        return self.folder / "authority" / ROOT

    def identity(self, name: str, role: Role = Role.GATEWAY, *, at: datetime | None = None, hosts: Sequence[str] = ()) -> Path:
        """Issues a key and a certificate, as of a time. Returns their file."""
        file = self.folder / f"{name}.pem"
        self.authority.issue(Holder(name, role, hosts), at or now()).write(file)
        return file

    def renew(self, file: Path, *, new_key: bool = False) -> None:
        """Renews by file."""
        name = file.stem
        request = enrolment.ask(file, name, new_key=new_key)
        chain = self.authority.sign(request, Holder(name, Role.GATEWAY), now())
        enrolment.take(file, chain, self.trusted, now())


@contextmanager
def served(folder: Path, trusted: Path) -> Iterator[Client]:
    """The authority's server, and a client that trusts it."""
    serving, stopping = Serving(folder, ["localhost"], ("127.0.0.1", 0), now), threading.Event()
    thread = threading.Thread(target=serving.run, args=(stopping,))
    thread.start()
    try:
        yield Client(f"https://localhost:{serving.port}", trusted)
    finally:
        stopping.set()
        thread.join()


__all__ = ["Authority", "Farm", "Holder", "Role", "now", "served"]
