"""Declares what every rule has, whatever it watches, and what those have that hold a value against a limit.

These are bases, the only ones of ours: a setting is declared once, and msgspec takes it from a base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, ClassVar
from urllib.parse import quote, urlsplit

from msgspec import Meta

from program.names import Name
from program.patterns import matches as patterns_match
from program.settings import YEAR, Settings, require, setting
from schemas.records import Alert, Severity

LONGEST_MESSAGE = 500
LONGEST_LINK = 500
IN_LINK = ("alert_id", "rule", "subject", "site_id", "device_id")
"""Columns of an alert that a rule's link may name in braces."""

_BRACED = re.compile(r"\{([^{}]*)\}")

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

    to_do: Annotated[
        str,
        setting(
            "What the person who is notified is to do. Empty: what the source says",
            max_length=LONGEST_MESSAGE,
            example="Open the valve of the drip line",
            since="0.3.0",
        ),
    ] = ""
    link: Annotated[
        str,
        setting(
            f"Page about an alert, an http or https URL; in braces it may name {', '.join(IN_LINK)}. Empty: none",
            max_length=LONGEST_LINK,
            example="https://farm.example.com/sites/{site_id}?device={device_id}",
            since="0.3.0",
        ),
    ] = ""

    TO_DO: ClassVar[str] = ""
    """What a person is to do about any alert of the source, where the rule says nothing else."""

    def __post_init__(self) -> None:
        require(not self.link or _is_link(self.link), f"link must be an http or https URL with a host, not {self.link!r}")
        unknown = [name for name in _BRACED.findall(self.link) if name not in IN_LINK]
        require(not unknown, f"link names {{{', '.join(unknown)}}}; it may name {', '.join(IN_LINK)}")
        require(not set("{}") & set(_BRACED.sub("", self.link)), "link has a brace without its other one")

    @property
    def what_to_do(self) -> str | None:
        return self.to_do or self.TO_DO or None

    def link_to(self, alert: Alert) -> str | None:
        """Returns the page about the alert, if there is one; what the alert does not have, such as a site's device, is empty."""
        if not self.link:
            return None
        return _BRACED.sub(lambda found: quote(getattr(alert, found[1]) or "", safe=""), self.link)

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
        super().__post_init__()
        require((self.below is None) != (self.above is None), "exactly one of below and above is needed")

    @property
    def limit(self) -> float:
        limit = self.above if self.below is None else self.below
        assert limit is not None
        return limit

    def watches(self, site_id: str) -> bool:
        return matches(site_id, self.sites)


def _is_link(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and not {"{", "}"} & set(url.netloc)
    except ValueError:
        return False


def matches(name: str | None, patterns: Iterable[str]) -> bool:
    """Tells whether any of the patterns fits the whole name; None is the name of no site."""
    return patterns_match(name or "", patterns)
