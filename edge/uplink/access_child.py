"""Makes the headers by which Google lets a gateway in, and ends: `python -P -m edge.uplink.access_child FILE [--check]`.

It prints them as one JSON object {headers, expires}; or {state, text}, why there are none, and ends with 1. `--check` only reads the file.
A process of its own: what signs and fetches tokens takes 15 MB, is used once an hour, and cannot be unloaded.

A service account signs its own token, as Google's client does by default (https://google.aip.dev/auth/4111): nobody is asked, and it
is a third shorter than one that is fetched. A federated identity has to fetch one.
"""

from __future__ import annotations

import json
import sys
from calendar import timegm
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.auth import identity_pool, jwt
from google.auth.exceptions import GoogleAuthError, OAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from edge.certificate_child import lifetime
from edge.uplink.credentials import read
from edge.uplink.diagnosis import sentence, state_after
from keys.lifetime import Lifetime
from schemas.records import LinkState

AUDIENCE = "https://pubsub.googleapis.com/"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/pubsub")
_REFUSALS = {"access_denied", "invalid_client", "invalid_grant", "invalid_request", "invalid_target", "unauthorized_client"}
"""How a token service says no (RFC 6749, 5.2; RFC 8693, 2.2.2)."""


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    file, *options = arguments
    try:
        credentials = load(Path(file))
        if not options:
            print(json.dumps(headers(credentials)))
    except (ValueError, OSError, GoogleAuthError) as error:
        print(json.dumps(failure(Path(file), error, datetime.now(UTC))))
        return 1
    return 0


def failure(file: Path, error: BaseException, now: datetime) -> dict[str, str]:
    """Says why there are no headers: the state of the link, and a sentence, which for what is wrong in a file is the error's own."""
    if not isinstance(error, GoogleAuthError) or isinstance(error, ValueError):
        return {"state": LinkState.OFFLINE, "text": str(error)}
    own = _lifetime(file)
    state = state_after(error, own, now, is_refusal=_is_refusal(error))
    return {"state": state, "text": sentence(state, own, now, error)}


def load(file: Path) -> Any:
    """Reads credentials. Raises ValueError and OSError with a sentence, and what Google's library does for what is wrong in the file."""
    content = json.loads(file.read_text())
    kind = content.get("type") if isinstance(content, dict) else None
    if kind not in _LOADERS:
        raise ValueError(f"its type is {kind!r}, not one of {', '.join(_LOADERS)}")
    return _LOADERS[kind](str(file))


def headers(credentials: Any) -> dict[str, Any]:
    """Makes the headers, and says until when they hold, in seconds since 1970. May ask the network."""
    made: dict[str, str] = {}
    credentials.before_request(Request(), "POST", AUDIENCE, made)
    made.pop("x-goog-api-client", None)  # a statistic of Google's
    return {"headers": made, "expires": timegm(credentials.expiry.utctimetuple())}


def _is_refusal(error: BaseException) -> bool:
    """Says whether the token service has answered that it does not want these credentials, and not that it has a fault of its own."""
    if not isinstance(error, OAuthError):
        return False
    try:
        answer = json.loads(error.args[1])
    except (ValueError, TypeError, IndexError):
        return False
    return isinstance(answer, dict) and answer.get("error") in _REFUSALS


def _lifetime(file: Path) -> Lifetime | None:
    """Returns the life of the certificate that the file names, as far as it can be read."""
    try:
        certificate = read(file).certificate
        return lifetime(certificate) if certificate else None
    except (OSError, ValueError):
        return None


def _service_account(file: str) -> Any:
    signing = service_account.Credentials.from_service_account_file(file)  # type: ignore[no-untyped-call]
    quota = {"quota_project_id": signing.quota_project_id}
    return jwt.Credentials.from_signing_credentials(signing, audience=AUDIENCE, **quota)  # type: ignore[no-untyped-call]


def _federated(file: str) -> Any:
    return identity_pool.Credentials.from_file(file, scopes=_SCOPES)  # type: ignore[no-untyped-call]


_LOADERS: dict[str, Callable[[str], Any]] = {"service_account": _service_account, "external_account": _federated}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
