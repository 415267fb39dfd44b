"""Defines what every command logs, and how: one prefix for the loggers, one line or one JSON object a record, to standard error.

A module names its logger once, with `_log = logs.get(__name__)`; a command takes `@logs.options` and is set up before it runs. INFO is a
state that was entered, WARNING is what needs a look, ERROR is what failed. Libraries are heard from WARNING on, whatever the level of ours.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Literal, get_args

import click

from program import terminal

PREFIX = "tinybeam"

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["text", "json"]
LEVELS = get_args(Level)
FORMATS = get_args(Format)
LEVEL_HELP = "The least that is logged of TinyBeam; libraries are heard from warning on."
FORMAT_HELP = "json: one object a line, in the fields that Cloud Logging reads."


def get(name: str) -> logging.Logger:
    """Returns the logger of a module: `edge.run` logs as `tinybeam.edge.run`."""
    return logging.getLogger(f"{PREFIX}.{name}")


def set_up(level: Level = "info", form: Format = "text") -> None:
    """Sends log records to standard error. Handlers that somebody else has set, such as a test's, stay the only ones."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger(PREFIX).setLevel(level.upper())


def formatter(form: Format) -> logging.Formatter:
    """Returns what writes a record as one line, and below it, in text, the trace of an exception."""
    return _Json() if form == "json" else _Text()


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command `--log_level` and `--log_format`, and sets logging up before it runs."""

    @wraps(command)
    def logged(*arguments: Any, log_level: Level, log_format: Format, **named: Any) -> None:
        set_up(log_level, log_format)
        command(*arguments, **named)

    level = click.option("--log_level", type=click.Choice(LEVELS), default="info", show_default=True, help=LEVEL_HELP)
    form = click.option("--log_format", type=click.Choice(FORMATS), default="text", show_default=True, help=FORMAT_HELP)
    verbose = click.option(
        "--verbose", is_flag=True, hidden=True, expose_value=False, callback=_renamed, help="Renamed: --log_level=debug."
    )
    return level(form(verbose(logged)))


@contextmanager
def gathered(name: str) -> Iterator[list[str]]:
    """Yields a list in which there is each sentence, once, that the loggers below a name say meanwhile, whatever its level.

    They say it nowhere else: it is for a command whose answer it is.
    """
    sentences: list[str] = []
    logger, handler = get(name), _List(sentences)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield sentences
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _List(logging.Handler):
    def __init__(self, sentences: list[str]) -> None:
        super().__init__()
        self._sentences = sentences

    def emit(self, record: logging.LogRecord) -> None:
        if (sentence := record.getMessage()) not in self._sentences:
            self._sentences.append(sentence)


def _renamed(context: click.Context, parameter: click.Parameter, verbose: bool) -> None:  # noqa: FBT001 - so click calls it
    if verbose:
        raise click.UsageError("--verbose is now --log_level=debug", context)


def _time(record: logging.LogRecord) -> str:
    """Writes the time of a record: `2026-05-01T12:00:00.000000Z`."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class _Text(logging.Formatter):
    """Writes `2026-05-01T12:00:00.000000Z INFO tinybeam.edge.run: gateway runs`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        record.message = terminal.safe(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return terminal.safe(super().formatException(ei), lines=True)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the name is logging's
        return _time(record)


class _Json(logging.Formatter):
    """Writes the fields that Cloud Logging knows: https://cloud.google.com/logging/docs/structured-logging."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "severity": record.levelname,
            "time": _time(record),
            "message": record.getMessage(),
            "logging.googleapis.com/labels": {"logger": record.name},
        }
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
        return terminal.safe_json(json.dumps(entry, ensure_ascii=False))
