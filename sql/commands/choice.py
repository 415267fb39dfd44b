"""Reads what several commands take: names of SQL files and `--param NAME=VALUE`; and says what went wrong as a command does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import click
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError

from program import google_credentials
from program.settings import ConfigError
from sql.application import ApplyError
from sql.promotion import PromoteError
from sql.questions import ParameterError
from sql.scripts import Script, ScriptError
from sql.service import ServiceError, explained


def chosen(names: Iterable[str], among: Iterable[Script]) -> list[Script]:
    """Returns the scripts of these names, or all without names. Raises UsageError."""
    known = {script.name: script for script in among}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1) or sorted(known)
            raise click.UsageError(f"there is no {name!r}; try {' or '.join(near)}")
    return [known[name] for name in names or known]


def pairs(parameters: tuple[str, ...]) -> Mapping[str, str]:
    """Reads `NAME=VALUE`. Raises UsageError."""
    for pair in parameters:
        if "=" not in pair:
            raise click.UsageError(f"--param wants NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in parameters)


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turns what may be expected to fail into the sentence that a command ends with: exit code 1, or 2 for a wrong parameter."""
    try:
        yield
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    except (ServiceError, ApplyError, ConfigError, ScriptError, PromoteError) as error:
        raise click.ClickException(str(error)) from error
    except GoogleAuthError as error:
        raise click.ClickException(google_credentials.refusal(error)) from error
    except GoogleAPICallError as error:
        raise click.ClickException(explained(error)) from error
