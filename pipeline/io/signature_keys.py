"""Reads the pipeline's private keys, by which it checks signatures: from a file on any of Beam's file systems, or from Secret Manager.

Each process reads them itself, once: only their place travels with a job. No message tells what is in a file.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import google.auth
import requests
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.auth.transport.requests import AuthorizedSession

from pipeline.authenticate import Authenticator, Requirement
from pipeline.io.append import brief
from program import google_credentials
from program.settings import ConfigError
from schemas.key_agreement import UnusableKey, private_keys
from schemas.registry import OfRegistry, Registry, RegistrySource

SECRET = "secret:"  # noqa: S105 - what a place begins with
"""A place that begins so is a version of a secret: secret:projects/P/secrets/S/versions/V."""

_SERVICE = "https://secretmanager.googleapis.com/v1"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ANSWER_SECONDS = 60.0
_OTHERS = 0o037
"""What nobody may do but the owner, and the group may read: it is that of a service without a user of its own."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Says what a run requires of signatures, and where the private keys are by which it checks them; without a place it believes none."""

    requirement: Requirement
    place: str

    def authenticator(self, registry: RegistrySource) -> OfRegistry[Authenticator] | None:
        """Returns what checks signatures by the registry in force; None if nothing is to be checked."""
        return OfRegistry(registry, self._of) if self.requirement != Requirement.ACCEPT else None

    def check(self) -> None:
        """Raises ConfigError unless the keys can be read that a run needs."""
        if self.requirement != Requirement.ACCEPT:
            keys_at(self.place)

    def _of(self, registry: Registry) -> Authenticator:
        keys = keys_at(self.place) if self.place else ()
        return Authenticator(registry.gateways, keys, only_warns=self.requirement == Requirement.WARN)


@cache
def keys_at(place: str) -> Sequence[EllipticCurvePrivateKey]:
    """Reads private keys in PEM. Raises ConfigError, naming the option and the place."""
    try:
        return private_keys(_content(place))
    except UnusableKey as error:
        raise ConfigError(f"--signature_keys={place}: {error}") from error
    except (DefaultCredentialsError, RefreshError) as error:
        raise ConfigError(f"--signature_keys={place}: {google_credentials.refusal(error)}") from error
    except (OSError, BeamIOError, GoogleAuthError, requests.RequestException) as error:
        raise ConfigError(f"--signature_keys={place}: {brief(error)}") from error


def _content(place: str) -> bytes:
    if place.startswith(SECRET):
        google_credentials.check()
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        with AuthorizedSession(credentials) as session:
            return secret(place.removeprefix(SECRET), session)
    if "://" not in place and Path(place).stat().st_mode & _OTHERS:
        raise UnusableKey(f"others may read or write it: chmod 600 {place}, or 640 where a service reads it by its group")
    with FileSystems.open(place) as file:
        content: bytes = file.read()
    return content


class Session(Protocol):
    """Asks Google's services, as AuthorizedSession does."""

    def get(self, url: str, /, *, timeout: float) -> requests.Response: ...


def secret(name: str, session: Session) -> bytes:
    """Returns a version of a secret. Raises UnusableKey and what requests raises."""
    answer = session.get(f"{_SERVICE}/{name}:access", timeout=_ANSWER_SECONDS)
    answer.raise_for_status()
    try:
        return base64.b64decode(answer.json()["payload"]["data"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableKey("Secret Manager answers without a secret") from error
