"""Runs a user's function over rejects: `transform(message)` of a Python file. It is code that runs here, with the rights of who runs it."""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.replay.elements import SetAside
from pipeline.replay.message import Message, messages_of


class FixError(Exception):
    """The file or its function is wrong; the text names file, line and reject."""


@dataclass(frozen=True, slots=True)
class FileFix:
    """Calls the function for each reject. Only the path travels to workers, which read the file themselves."""

    path: str

    def __call__(self, reject: SetAside) -> Iterator[SetAside]:
        function = load(self.path)
        try:
            yield from (message.reject for message in messages_of(function(Message(reject))))
        except Exception as error:
            raise FixError(f"{_place(self.path, error)} (reject {reject.reject_id[:12]}, {reject.reason})") from error


@cache
def load(path: str) -> Callable[[Message], Any]:
    """Returns the file's function. Raises FixError."""
    try:
        function = runpy.run_path(path).get("transform")
    except Exception as error:
        raise FixError(_place(path, error)) from error
    if not callable(function):
        raise FixError(f"{path} has no function transform(message)")
    return function


def _place(path: str, error: Exception) -> str:
    """Names the last line of the file that took part."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    line = next((frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == path), line)
    return f"{path}{f', line {line}' if line else ''}: {type(error).__name__}: {error}"
