"""Waits for a warehouse that cannot be reached, loudly and for ever. What it refuses, waiting does not mend: that is an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TypeVar

import requests
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError

from pipeline.io.append import BACKOFF, brief
from program import google_credentials, logs
from program.settings import ConfigError

_Answer = TypeVar("_Answer")

_UNREACHABLE = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.RetryError,
    TransportError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
)
_LOG = logs.get(__name__)


class _Unanswered(Exception):
    """The warehouse, or who gives credentials for it, cannot be reached now."""


def answered(ask: Callable[[], _Answer], rng: Random, sleep: Callable[[float], None] = time.sleep) -> _Answer:
    """Returns what `ask` returns, once it does. Raises ConfigError for what is refused."""
    for pause in BACKOFF.delays(rng):
        try:
            with _failures_named():
                return ask()
        except _Unanswered as error:
            _LOG.warning("the warehouse does not answer (%s); trying again in %.1f s", error, pause)
            sleep(pause)
    raise AssertionError("a back-off has no end")


@contextmanager
def refusals_named() -> Iterator[None]:
    """Raises ConfigError for whatever Google's clients raise: for a command that waits for nothing."""
    try:
        with _failures_named():
            yield
    except _Unanswered as error:
        raise ConfigError(f"the warehouse does not answer: {error}") from error


@contextmanager
def _failures_named() -> Iterator[None]:
    """Raises _Unanswered, or ConfigError in a sentence that names whose credentials are refused."""
    try:
        yield
    except _UNREACHABLE as error:
        raise _Unanswered(brief(error)) from error
    except GoogleAuthError as error:
        if error.retryable:
            raise _Unanswered(brief(error)) from error
        raise ConfigError(google_credentials.refusal(error)) from error
    except exceptions.GoogleAPICallError as error:
        raise ConfigError(f"the warehouse refuses {google_credentials.source()}: {brief(error)}") from error
