"""Says which of Google's credentials a command uses, for the sentence about those that are refused. Imports nothing of Google's.

Guarantees that no sentence says what is in a file of credentials.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from program.settings import ConfigError

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_MOST_CHARACTERS = 300


def check() -> None:
    """Raises ConfigError if the variable names a file that holds no credentials whatever; says nothing where it names none."""
    if not (file := os.environ.get(VARIABLE)):
        return
    try:
        content = json.loads(Path(file).read_bytes())
    except OSError as error:
        raise ConfigError(f"{VARIABLE}={file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{VARIABLE}={file} is no JSON") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{VARIABLE}={file} is no JSON object")


def refusal(error: Exception) -> str:
    """Returns a sentence about an error of Google's libraries: whose credentials they are, and what was said of them."""
    said = ": ".join(str(each) for each in error.args if isinstance(each, str | Exception)) or type(error).__name__
    return f"{source()} cannot be used: {' '.join(said.split())[:_MOST_CHARACTERS]}"


def source() -> str:
    """Says whose credentials a command uses."""
    if file := os.environ.get(VARIABLE):
        return f"the credentials of {VARIABLE}={file}"
    return f"the default credentials of this machine, since {VARIABLE} is not set (`gcloud auth application-default login` makes some),"
