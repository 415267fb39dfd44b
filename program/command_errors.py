"""Says how what is wrong ends a command: in one line, with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

Command = Callable[..., None]


def errors_explained(*errors: type[Exception]) -> Callable[[Command], Command]:
    """Lets a command say these errors in one line, and end with 2."""

    def explaining(command: Command) -> Command:
        @wraps(command)
        def explained(*arguments: Any, **named: Any) -> None:
            try:
                command(*arguments, **named)
            except errors as error:
                click.echo(f"Error: {error}", err=True)
                sys.exit(2)

        return explained

    return explaining
