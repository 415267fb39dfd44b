"""Runs the tests of a promise in their long form."""

from __future__ import annotations

from pathlib import Path

from lab import suite
from lab.console import Console
from lab.soak import figures
from lab.soak.promises import PROMISES


class LongTests:
    """Runs tests at a share of their long numbers: `LongTests(console, 0.1)("R2", folder, log)` tells whether those of R2 passed."""

    def __init__(self, console: Console, share: float) -> None:
        self._console, self._share = console, share

    def __call__(self, name: str, folder: Path, log: Path) -> bool:
        environment = {figures.FOLDER_VARIABLE: str(folder), figures.SHARE_VARIABLE: str(self._share)}
        progress = folder / figures.PROGRESS

        def status() -> str:
            return f"{name}: {progress.read_text() if progress.exists() else 'starts'}"

        return suite.passes(PROMISES[name].tests, environment, log, self._console, status)
