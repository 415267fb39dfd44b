"""Writes files that their owner alone may read, whole and durable or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from keys.error import KeysError
from program.files import write_durably

FOLDER_MODE, FILE_MODE, PUBLIC_MODE = 0o700, 0o600, 0o644


def make_folder(folder: Path) -> None:
    """Makes a folder for its owner alone; one that is there already is left as it is. Raises KeysError."""
    try:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise KeysError(f"{folder} cannot be made: {error.strerror}") from error


def refuse_existing(*files: Path) -> None:
    """Raises KeysError if one of the files is there: a key that is lost is lost for ever."""
    for file in files:
        if file.exists():
            raise KeysError(f"{file} is there already, and is not overwritten: move it away, or name another folder")


def write(file: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Replaces a file at once: whoever reads it gets the old content or the new, also after a power cut. Raises KeysError.

    Root writes for the owner of the folder: mosquitto reads its key as its own user.
    """

    def make(path: str, flags: int) -> int:
        descriptor = os.open(path, flags | os.O_EXCL, mode)
        os.fchmod(descriptor, mode)
        if os.geteuid() == 0:
            owner = file.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor

    try:
        write_durably(file, [content], opener=make)
    except OSError as error:
        raise KeysError(f"{file} cannot be written: {error.strerror}") from error


def read(file: Path) -> bytes:
    """Raises KeysError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeysError(f"{file} cannot be read: {error.strerror}") from error
