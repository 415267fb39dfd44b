"""Lets a Python process of ours start a module of ours as its child, which finds the same rooms that its parent found.

Guarantees that what lies in the working directory does not matter: `python -m` alone looks there first, and a folder that holds its own
`schemas/` would take the place of ours.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOMS = Path(__file__).resolve().parents[1]


def python_module(name: str, *arguments: str) -> list[str]:
    """Returns the command that runs a module of ours."""
    return [sys.executable, "-P", "-m", name, *arguments]


def environment() -> dict[str, str]:
    """Returns our environment, with our rooms before everything that PYTHONPATH names."""
    paths = [str(_ROOMS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
