"""Matches patterns of names as a shell does (`*`, `?`, `[a-c]`, `[!a]`), and says whether some take all that another does."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

_TOKEN = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
_OTHER = "\0"
"""No pattern names it."""
_ALPHABET = string.printable[:95] + _OTHER


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Says whether one of the patterns fits the whole name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def is_shadowed(pattern: str, by: Collection[str]) -> bool:
    """Says whether every name that the pattern fits is fitted by one of the others, so that no name is left to it."""
    alphabet = _alphabet([pattern, *by])
    machines = [_tokens(text) for text in (pattern, *(other for other in by if _may_share(pattern, other)))]
    start = tuple(_skipped(tokens, frozenset({0})) for tokens in machines)
    waiting, known = [start], {start}
    while waiting:
        states = waiting.pop()
        fits = [len(tokens) in places for tokens, places in zip(machines, states, strict=True)]
        if fits[0] and not any(fits[1:]):
            return False
        steps = {tuple(_step(tokens, places, char) for tokens, places in zip(machines, states, strict=True)) for char in alphabet}
        new = {step for step in steps if step[0]} - known
        known |= new
        waiting += new
    return True


def _alphabet(patterns: Iterable[str]) -> Collection[str]:
    """Returns characters that stand for all: patterns treat alike what none of them names."""
    named = set().union(*patterns)
    return _ALPHABET if "[" in named else named | {_OTHER}


def _may_share(pattern: str, other: str) -> bool:
    """Says whether the beginnings agree as far as both are plain text. What does not is left out, for there may be hundreds of classes."""
    return all(first == second for first, second in zip(_plain_part(pattern), _plain_part(other), strict=False))


def _plain_part(pattern: str) -> str:
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


def _tokens(pattern: str) -> list[str]:
    """Splits a pattern into its stars, question marks, sets and characters."""
    return _TOKEN.findall(pattern)


def _skipped(tokens: list[str], places: frozenset[int]) -> frozenset[int]:
    """Adds the places behind stars, which fit an empty text too."""
    skipped = set(places)
    for place, text in enumerate(tokens):
        if place in skipped and text == "*":
            skipped.add(place + 1)
    return frozenset(skipped)


def _step(tokens: list[str], places: frozenset[int], char: str) -> frozenset[int]:
    """Returns where the pattern can be after one more character."""
    after = {place if tokens[place] == "*" else place + 1 for place in places if place < len(tokens) and fnmatchcase(char, tokens[place])}
    return _skipped(tokens, frozenset(after))
