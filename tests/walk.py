"""Walks through a page as its reader would: writes the files that it shows, runs its commands in order, and compares what they print.

A fenced block with a title is that file; `sh` blocks are run, all by one shell in one folder; a `text` block tells what the block before
it prints: each of its lines must be there, in that order, where `...` stands for anything. `my-project` becomes one of the test's own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.preloaded import ROOT, preloaded

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "----- the end of block"
_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file that it is, and its lines."""

    language: str
    title: str
    text: str


def blocks(page: Path, project: str) -> list[Block]:
    return [Block(language, title or "", text.replace("my-project", project)) for language, title, text in _FENCE.findall(page.read_text())]


def walk(page: Path, folder: Path, project: str, environment: Mapping[str, str]) -> None:
    """Raises AssertionError at the first thing that is not as the page says."""
    found = blocks(page, project)
    said = _run(found, folder, environment)
    for told, text in zip(_told(found), said, strict=True):
        _compare(page, told, text)


def _run(found: list[Block], folder: Path, environment: Mapping[str, str]) -> list[str]:
    """What each `sh` block printed."""
    script = "set -euo pipefail\nexec 2>&1\n" + "".join(_part(block) for block in found)
    own = {**os.environ, **environment, "PATH": f"{_shims(folder)}:{os.environ['PATH']}", "PYTHONPATH": str(_rooms(folder))}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=_SECONDS)
    assert done.returncode == 0, f"ended with status {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    return done.stdout.split(_MARK)[:-1]


def _part(block: Block) -> str:
    if block.title:
        return f"mkdir -p \"$(dirname '{block.title}')\"\ncat > '{block.title}' <<'END OF FILE'\n{block.text}END OF FILE\n"
    return f"{block.text}echo '{_MARK}'\n" if block.language == "sh" else ""


def _rooms(folder: Path) -> Path:
    """The rooms that the commands are from: those of a copy that the page changes, else ours."""
    return folder if (folder / "tinybeam.py").exists() else ROOT


def _shims(folder: Path) -> Path:
    """`tinybeam` and `python` as this test runs them."""
    shims = folder / ".commands"
    shims.mkdir(exist_ok=True)
    for name, words in (("tinybeam", [*preloaded(), "tinybeam"]), ("python", [sys.executable])):
        (shims / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        (shims / name).chmod(0o755)
    return shims


def _told(found: list[Block]) -> Iterator[str]:
    """For each `sh` block what the page says that it prints."""
    runs = [block for block in found if not block.title and block.language in ("sh", "text")]
    for at, block in enumerate(runs):
        if block.language == "sh":
            follows = runs[at + 1] if at + 1 < len(runs) else None
            yield follows.text if follows and follows.language == "text" else ""


def _compare(page: Path, told: str, said: str) -> None:
    lines = iter(said.splitlines())
    for wanted in told.splitlines():
        pattern = ".*".join(map(re.escape, wanted.strip().split("...")))
        assert any(re.fullmatch(pattern, line.strip()) for line in lines), f"{page.name} says {wanted!r}; printed was:\n{said}"
