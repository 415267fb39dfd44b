"""Says who looks. Without a sign-in that is whoever sits at this machine; with one it is whom a proxy names that knows the secret.

Guarantees that no request is answered for somebody that the settings do not name, nor where two headers name somebody, and that a proxy
nobody told us of is refused, not taken for this machine.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dash.data.viewer import Viewer
from dash.settings import Config

_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-user", "x-real-ip", "via")


class Refused(Exception):
    """Nobody is known who may look; the text is for them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Is who looks: a name for the page and for answers (None at this machine), what they see, and whether they may answer."""

    name: str | None
    viewer: Viewer
    answers: bool


class SignIn(Protocol):
    """Returns who looks by a request's headers, whose names are in small letters. Raises Refused."""

    def __call__(self, headers: Mapping[str, str]) -> Person: ...


class ThisMachine:
    """Takes everybody for the person at this machine, as it listens at no other address."""

    def __init__(self, viewer: Viewer) -> None:
        self._person = Person(None, viewer, answers=True)

    def __call__(self, headers: Mapping[str, str]) -> Person:
        if any(name in headers for name in _OF_PROXIES):
            raise Refused("This page has no sign-in, so it is for its own machine alone and answers no proxy. Start it with --config.")
        return self._person


class BehindProxy:
    """Takes a request for the person whom a proxy names, if the proxy shows the secret."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError for the secret's file."""
        self._secret = config.sign_in.secret().encode()
        self._secret_header, self._user_header = config.sign_in.secret_header.lower(), config.sign_in.user_header.lower()
        self._people = {each.user: Person(each.user, Viewer(each.sites), each.answers) for each in config.viewers}

    def __call__(self, headers: Mapping[str, str]) -> Person:
        if not hmac.compare_digest(_once(headers, self._secret_header).encode(), self._secret):
            raise Refused("Please sign in: this page is reached through its proxy alone.")
        if person := self._people.get(_once(headers, self._user_header)):
            return person
        raise Refused("You are signed in, but nobody has said what you may see. Ask whoever runs this page to name you in its settings.")


def _once(headers: Mapping[str, str], name: str) -> str:
    """Returns a header that came once; nothing where it came again, as one of them may be of the browser, not of the proxy."""
    values = [value for key, value in headers.items() if key == name]
    return values[0] if len(values) == 1 else ""
