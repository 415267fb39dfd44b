"""Empties the lab's working folder at the start, but only if it is the lab's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.services.child import StartFailed

_MARK = ".tinybeam-lab"


def emptied(directory: Path) -> Path:
    """Makes the folder anew and marks it. Raises StartFailed for one that holds anything and was not made by the lab."""
    try:
        if directory.is_dir() and any(directory.iterdir()) and not (directory / _MARK).exists():
            raise StartFailed(f"{directory} is not empty and not the lab's: name another --directory")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    except OSError as error:
        raise StartFailed(f"{error}: name another --directory") from error
    (directory / _MARK).write_text("made by tinybeam lab, which empties this folder when it starts\n")
    return directory
