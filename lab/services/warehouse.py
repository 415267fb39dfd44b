"""Starts the local warehouse: local-bigquery as a server in a Python environment of its own, as a user's BigQuery is a server too."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

from lab.services.child import REPOSITORY, Child, StartFailed, free_port, listens
from program.files import is_visible

PYTHON = "TINYBEAM_WAREHOUSE_PYTHON"
SERVER = Path(__file__).with_name("warehouse_server.py")
PROJECT = "demo-project"
DATA = "warehouse"
"""The folder of the data within the directory of a warehouse."""


class Warehouse:
    """Runs a warehouse as a context manager: `with Warehouse(directory) as warehouse: delivered.connect(warehouse)`.

    BigQuery answers at `rest_url` and its Storage API at `grpc_address`; the data lives in `directory`.
    """

    def __init__(self, directory: Path, project: str = PROJECT) -> None:
        self._directory = Path(directory).absolute()
        self.project = project
        self._rest, self._grpc = free_port(), free_port()
        self.rest_url, self.grpc_address = f"http://127.0.0.1:{self._rest}", f"127.0.0.1:{self._grpc}"

    def __enter__(self) -> Warehouse:
        """Raises StartFailed."""
        python = interpreter()
        self.version = f"local-bigquery {_version(python)}"
        self._directory.mkdir(parents=True, exist_ok=True)
        listen = ["--host", "127.0.0.1", "--port", str(self._rest), "--grpc-port", str(self._grpc)]
        data = ["--project", self.project, "--data-dir", str(self._directory / DATA)]
        self._child = Child("warehouse", [str(python), "-I", str(SERVER), *listen, *data], self._directory / "warehouse.log")
        self._child.wait_until(lambda: listens(self._rest) and listens(self._grpc), "listening", 60.0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.stop()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def environment(self) -> dict[str, str]:
        """Returns the variables by which Google's clients and ours find it."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.rest_url,
            "BIGQUERY_STORAGE_EMULATOR_HOST": self.grpc_address,
            "GOOGLE_CLOUD_PROJECT": self.project,
        }


def interpreter() -> Path:
    """Returns the warehouse's Python. Raises StartFailed if there is none."""
    python = Path(os.environ.get(PYTHON) or REPOSITORY / ".venv-warehouse" / "bin" / "python").absolute()
    if not is_visible(python):
        raise StartFailed(f"the warehouse needs {python}: run `make` once, or set {PYTHON} to a Python that has local-bigquery")
    return python


def _version(python: Path) -> str:
    code = "from importlib.metadata import version; print(version('local-bigquery'))"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartFailed(f"{python} has no local-bigquery: run `make` once")
    return done.stdout.strip()
