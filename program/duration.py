"""Reads how long: `5s`, `12m`, `2h` or `7d`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Returns the duration. Raises ValueError with a sentence."""
    parts = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if not parts:
        raise ValueError(f"{text!r} is no duration: write for example 5s, 12m, 2h or 7d")
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})
