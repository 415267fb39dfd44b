"""Writes files that code generates, and finds those that are stale: what `python -m NAME` and its `--check` share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Texts = Mapping[Path, str]
"""Is the text of every generated file by its path from the root of the repository."""


def differing(root: Path, texts: Texts) -> list[Path]:
    """Returns the files that are missing or hold another text."""
    return [path for path, text in texts.items() if not (root / path).is_file() or (root / path).read_text() != text]


def write_all(root: Path, texts: Texts) -> None:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@dataclass(frozen=True, slots=True)
class GeneratedFiles:
    """Knows the files that `python -m command` makes, some of them in folders where nothing else is; `owned` are patterns of those files.

    Usage: `sys.exit(generated.main(root, __doc__))`.
    """

    command: str
    texts: Callable[[], Texts]
    owned: tuple[str, ...]

    def stale(self, root: Path) -> list[Path]:
        """Returns the files that differ from what the code says, and those of what is no more."""
        texts = self.texts()
        return differing(root, texts) + self._left_over(root, texts)

    def write(self, root: Path) -> None:
        """Writes every file, and deletes those of what is no more."""
        texts = self.texts()
        for path in self._left_over(root, texts):
            (root / path).unlink()
        write_all(root, texts)

    def main(self, root: Path, description: str | None, arguments: list[str] | None = None) -> int:
        parser = argparse.ArgumentParser(prog=f"python -m {self.command}", description=description)
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files if any is stale")
        if not parser.parse_args(arguments).check:
            self.write(root)
            return 0
        for path in (wrong := self.stale(root)):
            print(f"{path} is stale: run `python -m {self.command}` and commit", file=sys.stderr)
        return 1 if wrong else 0

    def _left_over(self, root: Path, texts: Texts) -> list[Path]:
        there = {path.relative_to(root) for pattern in self.owned for path in root.glob(pattern)}
        return sorted(there - texts.keys())
