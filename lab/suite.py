"""Runs a part of the tests in a process of its own, without the suite's limit of time, and shows meanwhile how far they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.console import Console

_ROOT = Path(__file__).parents[1]
_LOOK_SECONDS = 1.0


def passes(tests: Sequence[str], environment: Mapping[str, str], log: Path, console: Console, status: Callable[[], str]) -> bool:
    """Runs tests by the words that pytest takes, with these variables set; what they print goes to `log`. Returns whether all passed."""
    command = [sys.executable, "-m", "pytest", "-q", "--timeout=0", "-p", "no:cacheprovider", *tests]
    variables = {**os.environ, **environment}
    with log.open("wb") as output, subprocess.Popen(command, cwd=_ROOT, env=variables, stdout=output, stderr=output) as process:
        try:
            while process.poll() is None:
                console.status(status())
                time.sleep(_LOOK_SECONDS)
        finally:
            process.terminate()
    return process.returncode == 0
