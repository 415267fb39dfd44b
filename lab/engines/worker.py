"""Runs the workers of an engine in an environment of their own: the packages of requirements/worker.txt and this checkout's wheel alone.

The launcher stays in the lab's environment, as on Dataflow. Batch mode alone: in streaming mode workers are threads of the launcher, which
knows what is out (docs/engines.md).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from lab.engines.engine import BATCH, PRISM, Engine
from lab.services.child import REPOSITORY, Child, StartFailed, free_port, listens
from pipeline.dataflow import worker

FOLDER = REPOSITORY / ".venv-worker"
PYTHON = FOLDER / "bin" / "python"
_START_SECONDS = 60.0
_ROOMS = "import pipeline, schemas, sys; print(pipeline.__file__, schemas.__file__, sep=chr(10))"


def provided(log: Callable[[str], None]) -> bool:
    """Says whether the environment is there; else what makes it."""
    if not PYTHON.exists():
        log(f"workers of their own are left out: there is no {FOLDER.name}, which `python requirements/install.py worker` makes")
    return PYTHON.exists()


class Workers:
    """Starts workers when an engine asks for them: `with Workers(folder) as workers: workers.engine`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()

    @property
    def engine(self) -> Engine:
        """Returns Prism with these workers."""
        where = ("--environment_type=EXTERNAL", f"--environment_config=localhost:{self._port}")
        return Engine("PrismRunner, worker with the wheel alone", (*PRISM.flags, *where), (BATCH,))

    def __enter__(self) -> Workers:
        """Raises StartFailed."""
        _install(worker.wheel(self._directory))
        # Workers are started as `python`, which must be this one, and in our folder, which must not be where they import from.
        environment = {"PATH": f"{PYTHON.parent}:/usr/bin:/bin", "PYTHONSAFEPATH": "1", "PYTHONPATH": ""}
        _refuse_checkout(environment)
        command = [str(PYTHON), "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={self._port}"]
        self._child = Child("workers", command, self._directory / "workers.log", environment)
        self._child.wait_until(lambda: listens(self._port), "listening", _START_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.stop(1.0)


def _install(wheel: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    _run([str(uv), "pip", "install", "--quiet", "--offline", "--no-deps", "--reinstall", "--python", str(PYTHON), str(wheel)], None)


def _refuse_checkout(environment: dict[str, str]) -> None:
    """Raises StartFailed if workers would import from anywhere else than their environment."""
    elsewhere = [file for file in _run([str(PYTHON), "-c", _ROOMS], environment).split() if not Path(file).is_relative_to(FOLDER)]
    if elsewhere:
        raise StartFailed(f"workers would import {elsewhere[0]}, which is not of their own environment {FOLDER}")


def _run(command: Sequence[str], environment: dict[str, str] | None) -> str:
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartFailed(f"{command[0]} failed: {done.stderr[-500:]}")
    return done.stdout
