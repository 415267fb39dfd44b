"""Writes whole files on any of Beam's filesystems: a file is there with all its bytes, or it is not there.

An object store shows an object when it is closed; elsewhere a file gets its name when it is whole, and on a local disk it is durable then.
What fails is tried again for ever, loudly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from uuid import uuid4

from apache_beam.io.filesystems import FileSystems

from pipeline.io.append import brief
from program import logs
from program.backoff import Backoff
from program.files import write_durably

_OBJECT_STORES = ("gs", "s3", "azfs")
_BACKOFF = Backoff(initial_interval=0.5, max_interval=60.0)
_LOG = logs.get(__name__)


def write(path: str, content: bytes, sleep: Callable[[float], None] = time.sleep) -> None:
    """Writes a file, waiting for storage that does not take it."""
    for pause in _BACKOFF.delays(Random()):
        try:
            write_once(path, content)
        except Exception as error:  # noqa: BLE001 - each filesystem has its own exceptions, and none may lose what came
            _LOG.warning("%s cannot be written (%s); trying again in %.1f s", path, brief(error), pause)
            sleep(pause)
        else:
            return


def write_once(path: str, content: bytes) -> None:
    """Writes a file. Raises what the filesystem raises."""
    scheme = FileSystems.get_scheme(path)
    if scheme is None:
        _write_local(Path(path), content)
    elif scheme in _OBJECT_STORES:
        _create(path, content)
    else:
        unfinished = f"{path}.{uuid4().hex}.part"
        _create(unfinished, content)
        FileSystems.rename([unfinished], [path])


def read(path: str) -> bytes:
    with FileSystems.open(path) as file:
        content: bytes = file.read()
    return content


def remove(paths: Iterable[str]) -> None:
    """Removes files; one that cannot be removed stays, loudly."""
    try:
        FileSystems.delete(list(paths))
    except Exception as error:  # noqa: BLE001 - what stays is read once more, and dropped as a repeat
        _LOG.warning("files stay in the archive although others hold what is in them: %s", brief(error))


def matching(pattern: str) -> dict[str, int]:
    """Returns the files that a pattern names, with their sizes in bytes."""
    [result] = FileSystems.match([pattern])
    return {file.path: file.size_in_bytes for file in result.metadata_list}


def _create(path: str, content: bytes) -> None:
    with FileSystems.create(path, mime_type="application/octet-stream") as file:
        file.write(content)


def _write_local(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, [content], path.with_name(f"{path.name}.{uuid4().hex}.part"))
