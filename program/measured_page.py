"""Writes a page of what a run measured, from figures that are kept beside it: the command of such a page, with --check and --take."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from program.generated import differing, write_all

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """Knows the page that `python -m command` writes: its `text` for a root, and which files of a run's folder are `figures` to be kept.

    Usage: `cli = measured_page.cli(root, __doc__)`. Paths are from the root.
    """

    command: str
    page: Path
    results: Path
    text: Callable[[Path], str]
    figures: Callable[[Path], Iterable[Path]]

    def cli(self, root: Path, description: str | None) -> click.Command:
        @click.command(context_settings={"help_option_names": ["-h", "--help"]}, help=description)
        @click.option("--check", is_flag=True, help="Write nothing; exit code 1 if the page is stale.")
        @click.option("--take", type=_FOLDER, help="A run's folder: its figures become those of the page.")
        @click.option("--root", type=_FOLDER, default=root, hidden=True)
        def cli(root: Path, take: Path | None, *, check: bool) -> None:
            if check:
                sys.exit(self._check(root))
            if take:
                self._take(root, take)
            write_all(root, {self.page: self.text(root)})

        return cli

    def _check(self, root: Path) -> int:
        stale = differing(root, {self.page: self.text(root)})
        said = f"is stale: run `python -m {self.command}` and commit" if stale else "is what the figures say"
        print(f"{self.page} {said}", file=sys.stderr)
        return int(bool(stale))

    def _take(self, root: Path, run: Path) -> None:
        (root / self.results).mkdir(parents=True, exist_ok=True)
        for file in self.figures(run):
            shutil.copy(file, root / self.results / file.name)
