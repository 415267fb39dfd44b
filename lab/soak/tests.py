"""Runs the tests of a promise in their long form, in a process without the suite's limit of time, and shows how far they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from lab.console import Console
from lab.soak import figures
from lab.soak.promises import PROMISES

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 1.0


class LongTests:
    """Runs tests at a share of their long numbers: `LongTests(console, 0.1)("R2", folder, log)` tells whether those of R2 passed."""

    def __init__(self, console: Console, share: float) -> None:
        self._console, self._share = console, share

    def __call__(self, name: str, folder: Path, log: Path) -> bool:
        environment = {**os.environ, figures.FOLDER_VARIABLE: str(folder), figures.SHARE_VARIABLE: str(self._share)}
        command = [sys.executable, "-m", "pytest", "-q", "--timeout=0", "-p", "no:cacheprovider", *PROMISES[name].tests]
        with log.open("wb") as output, subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=output, stderr=output) as process:
            try:
                self._watch(process, name, folder / figures.PROGRESS)
            finally:
                process.terminate()
        return process.returncode == 0

    def _watch(self, process: subprocess.Popen[bytes], name: str, progress: Path) -> None:
        while process.poll() is None:
            self._console.status(f"{name}: {progress.read_text() if progress.exists() else 'starts'}")
            time.sleep(_LOOK_SECONDS)
