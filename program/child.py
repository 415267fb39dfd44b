"""Lets a Python process of ours start a module of ours as its child, which finds the same rooms that its parent found.

Guarantees that what lies in the working directory does not matter: `python -m` alone looks there first, and a folder that holds its own
`schemas/` would take the place of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOMS = Path(__file__).resolve().parents[1]


class ChildFailed(Exception):
    """A child has not done what it was to do; the text is what it said last, without the `Error:` of a command."""


def python_module(name: str, *arguments: str) -> list[str]:
    """Returns the command that runs a module of ours."""
    return [sys.executable, "-P", "-m", name, *arguments]


def environment() -> dict[str, str]:
    """Returns our environment, with our rooms before everything that PYTHONPATH names."""
    paths = [str(_ROOMS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def answer(name: str, *arguments: str, seconds: float, given: str = "") -> str:
    """Runs a module of ours, with what it is given to read, and returns what it prints: for what takes memory that is seldom needed.

    Raises ChildFailed.
    """
    command = python_module(name, *arguments)
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds, check=False, env=environment())
    except subprocess.TimeoutExpired as late:
        raise ChildFailed(f"no answer within {seconds:.0f} s") from late
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ChildFailed(last.removeprefix("Error: "))
    return done.stdout
