"""Keeps the authority's server running with a certificate of its own authority, renewed in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event

from keys.authority import ROOT, Authority
from keys.holder import Holder, Role
from keys.server import authority_server, mutual_context

SERVER = "server.pem"
_LOOK_SECONDS = 3600.0


class Serving:
    """Listens from its making. Usage: `serving.run(stopping)`, until a signal or another thread sets that."""

    def __init__(self, folder: Path, hosts: Sequence[str], address: tuple[str, int], now: Callable[[], datetime]) -> None:
        """Raises KeysError, and OSError for an address that cannot be had."""
        self._authority, self._file, self._now = Authority(folder), folder / SERVER, now
        self._holder = Holder("authority", Role.SERVER, hosts)
        self._renew()
        self._context = mutual_context(self._file, folder / ROOT)
        self._server = authority_server(self._authority, self._context, address, now)
        self.port = self._server.server_port

    def run(self, stopping: Event) -> None:
        with self._server.running():
            while not stopping.wait(_LOOK_SECONDS):
                if self._renew():
                    self._context.load_cert_chain(self._file)

    def _renew(self) -> bool:
        """Says whether its certificate is new."""
        _, is_new = self._authority.keep(self._file, self._holder, self._now())
        return is_new
