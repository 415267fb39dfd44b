"""Gives a warehouse its tables, functions and views by copying one that has them: to make them takes half a minute, to copy them a second.

The template is made by the code of `tinybeam sql apply` when it is first asked for, and kept in build/warehouses until the SQL files, the
descriptions of columns, that code, the names of datasets or the warehouse are others. Of several processes that ask at once one makes
it; the others wait.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.cloud import bigquery

from lab.services.child import REPOSITORY, StartFailed
from lab.services.warehouse import DATA, SERVER, Warehouse, interpreter
from schemas.datasets import Datasets
from sql import application
from sql.columns import columns
from sql.fingerprint import fingerprint
from sql.scripts import scripts
from sql.service import Target, open_client

_COPY = Path(__file__).with_name("template_copy.py")
_LOCKED = REPOSITORY / "requirements" / "warehouse.txt"
_APPLYING = "sql", "schemas"
"""The rooms whose code makes tables, functions and views."""
_PROJECT = "tinybeam-template"
"""The template's project: a name that nothing else bears, as it is replaced wherever it stands."""


@dataclass(frozen=True, slots=True)
class Template:
    """Is a warehouse in `folder`, which `fill` makes of an empty project; one of another `version` is made anew."""

    folder: Path
    version: str
    fill: Callable[[bigquery.Client], object]

    def copy(self, directory: Path, *projects: str) -> Path:
        """Puts the data of a warehouse into `directory` in which each project is as the template's; returns it.

        Raises StartFailed.
        """
        data = directory.absolute() / DATA
        with self._locked():
            command: list[str | Path] = [interpreter(), "-I", _COPY, self._made(), _PROJECT, data, *projects]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartFailed(f"the warehouse's template could not be copied to {data}: {done.stderr[-1000:]}")
        return directory

    def _made(self) -> Path:
        """Returns the template's data, and makes it if there is none. One of another version is removed."""
        kept, unfinished = self.folder / self.version, self.folder / "unfinished"
        if not kept.exists():
            for other in filter(Path.is_dir, self.folder.iterdir()):
                shutil.rmtree(other)
            with Warehouse(unfinished, _PROJECT) as warehouse, open_client(_target(), warehouse.rest_url) as client:
                self.fill(client)
            unfinished.rename(kept)
        return kept / DATA

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def from_template(directory: Path, *projects: str) -> Path:
    """Puts the data of a warehouse into `directory` in which these projects have tables, functions and views, and no rows; returns it.

    Raises StartFailed, and ApplyError.
    """
    return Template(REPOSITORY / "build" / "warehouses", _version(), _apply).copy(directory, *projects)


def _target() -> Target:
    return Target(_PROJECT, datasets=Datasets.of_environment())


def _apply(client: bigquery.Client) -> None:
    application.apply(client, None, lambda _: None)


def _version() -> str:
    """Returns what is another whenever the template would be."""
    texts = [script.text for script in scripts("tables", "functions", "views")]
    files = [SERVER, _LOCKED, *(path for room in _APPLYING for path in sorted((REPOSITORY / room).rglob("*.py")))]
    return fingerprint([*texts, repr((columns()["views"], Datasets.of_environment())), *(path.read_text() for path in files)])
