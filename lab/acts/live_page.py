"""Opens the live page over the lab's warehouse, as a user would."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from lab.services.child import Child, free_port, listens
from lab.services.stack import Warehouse
from program.child import python_module

_PATIENCE = 120.0
_KEEP_SECONDS = 5
"""Answers are kept for less than by default: in the lab a day of a field takes seconds."""


class LivePage:
    """Runs `tinybeam dash` as a context manager; people open it at `url`."""

    def __init__(self, directory: Path, warehouse: Warehouse) -> None:
        self._directory, self._warehouse, self._port = directory, warehouse, free_port()
        self.url = f"http://127.0.0.1:{self._port}/"

    def __enter__(self) -> LivePage:
        """Raises StartFailed."""
        command = python_module("tinybeam", "dash", f"--port={self._port}", f"--keep_seconds={_KEEP_SECONDS}")
        self._child = Child("dash", command, self._directory / "dash.log", self._warehouse.environment)
        self._child.wait_until(lambda: listens(self._port), "listening", 60.0)
        return self

    def look(self) -> None:
        """Looks at today's page, so that who opens it first does not wait for the warehouse."""
        with suppress(OSError), urlopen(self.url, timeout=_PATIENCE) as page:  # noqa: S310 - our own address
            page.read()

    def __exit__(self, *_: object) -> None:
        self._child.stop()
