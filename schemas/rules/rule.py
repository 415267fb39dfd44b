"""Declares what every rule has, whatever it watches, and what those have that hold a value against a limit.

These are bases, the only ones of ours: a setting is declared once, and msgspec takes it from a base.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from program.names import Name
from program.patterns import matches as patterns_match
from program.settings import YEAR, Settings, require, setting
from schemas.records import Severity

LONGEST_MESSAGE = 500

Patterns = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
"""Patterns as those of a shell: `*`, `?`, `[a-c]`."""

ALL = ("*",)


class BaseRule(Settings, frozen=True, kw_only=True, tag_field="source"):
    """Has the settings of every rule."""

    name: Annotated[Name, setting("Name of the rule, part of the identity of its alerts", example="field-dries-out")]
    severity: Annotated[Severity, setting("How much its alerts matter")] = Severity.WARNING
    for_seconds: Annotated[int, setting("Opens only when the condition has held for so long. 0: at once", ge=0, le=YEAR, example=600)] = 0
    cooldown_seconds: Annotated[
        int, setting("In so long people are notified of at most two rows of one rule and subject", ge=1, le=YEAR)
    ] = 1800
    historical_seconds: Annotated[
        int, setting("What is known of a subject is stored, and nobody is notified, if it is older than this", ge=1, le=YEAR)
    ] = 900
    message: Annotated[
        str, setting("Put before the sentence that says what happened", max_length=LONGEST_MESSAGE, example="The soil dries out")
    ] = ""

    @property
    def source(self) -> str:
        """Returns what it watches: the setting by which rules are told apart, and a column of its alerts."""
        return str(self.__struct_config__.tag)


class LimitRule(BaseRule, frozen=True, kw_only=True):
    """Holds a value of a site against a limit: `below` or `above`, one of them."""

    sites: Annotated[Patterns, setting("Patterns of site ids", example=["mill-*"])] = ALL
    below: Annotated[float | None, setting("Opens below this", example=0.15)] = None
    above: Annotated[float | None, setting("Opens above this", example=35.0)] = None
    hysteresis: Annotated[float, setting("Resolves only beyond the limit by this", ge=0)] = 0.0

    def __post_init__(self) -> None:
        require((self.below is None) != (self.above is None), "exactly one of below and above is needed")

    @property
    def limit(self) -> float:
        limit = self.above if self.below is None else self.below
        assert limit is not None
        return limit

    def watches(self, site_id: str) -> bool:
        return matches(site_id, self.sites)


def matches(name: str | None, patterns: Iterable[str]) -> bool:
    """Tells whether any of the patterns fits the whole name; None is the name of no site."""
    return patterns_match(name or "", patterns)
