"""Patterns that are meant to fit something that there is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from program.patterns import matches


def unknown(setting: str, patterns: Iterable[str], names: Collection[str], what: str) -> Iterator[str]:
    """A sentence for each pattern that fits none of the names. `*` is meant for whatever comes."""
    for pattern in patterns:
        if pattern != "*" and not any(matches(name, [pattern]) for name in names):
            near = get_close_matches(pattern, names, 1)
            yield f"{setting}: {pattern!r} fits no {what}" + (f"; did you mean {near[0]}?" if near else "")
