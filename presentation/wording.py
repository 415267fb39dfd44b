"""Writes numbers and names as people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_UNITS = {"1": "", "degC": "°C"}
_POWERS = {"2": "²", "3": "³"}
_NARROW, _FIRM = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


def count(number: float) -> str:
    """Writes 1234567 as 1 234 567, with spaces that do not break."""
    return f"{number:,.0f}".replace(",", _NARROW)


def counted(number: int, of_one: str, of_more: str | None = None) -> str:
    """Writes `1 field` and `2 fields`; `of_more` where more of them are not the word with an s."""
    return f"{count(number)} {of_one if number == 1 else of_more or of_one + 's'}"


def size(number: float) -> str:
    """Writes bytes in decimal units."""
    for unit in ("B", "kB", "MB"):
        if abs(number) < 1000:
            return f"{number:.3g}{_FIRM}{unit}"
        number /= 1000
    return f"{number:.3g}{_FIRM}GB"


def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%-d %b, %H:%M}"


def date(time: datetime) -> str:
    return f"{time.astimezone(UTC):%-d %B %Y, %H:%M} UTC"


def clock(time: datetime) -> str:
    return f"{time.astimezone(UTC):%H:%M:%S}"


def plain(name: str) -> str:
    """Writes SugarBeet as Sugar beet."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: f" {letter[0].lower()}", name)


def unit(name: str) -> str:
    """Writes a unit as people do: °C for degC, m³/m³ for m3/m3, nothing for 1."""
    return _UNITS[name] if name in _UNITS else re.sub(r"(?<=[ms])[23]\b", lambda power: _POWERS[power[0]], name)


def with_units(message: str) -> str:
    """Writes the units of a message, those that follow a number, as people do. Names stay as they are."""
    return re.sub(r"(?<=\d)(\s)(degC|[a-z]*m[23](?:/[a-z]*m[23])?|m/s2)\b", lambda found: found[1] + unit(found[2]), message)


def short(message: str) -> str:
    """Writes a message without what is for who operates it: scores, what was assumed, and which view has more."""
    return re.sub(r"\s*\((?:assumed|score)[^)]*\)|; the view [^;.]*", "", with_units(message))


def listed(words: Sequence[str]) -> str:
    """Joins a, b and c."""
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
