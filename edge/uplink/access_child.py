"""Makes the headers by which Google lets a gateway in, and ends: `python -P -m edge.uplink.access_child FILE [--check]`.

It prints them as one JSON object {headers, expires}, or one sentence on standard error and ends with 1. `--check` only reads the file.
A process of its own: what signs and fetches tokens takes 15 MB, is used once an hour, and cannot be unloaded.

A service account signs its own token, as Google's client does by default (https://google.aip.dev/auth/4111): nobody is asked, and it
is a third shorter than one that is fetched. A federated identity has to fetch one.
"""

from __future__ import annotations

import json
import sys
from calendar import timegm
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from google.auth import identity_pool, jwt
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

AUDIENCE = "https://pubsub.googleapis.com/"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/pubsub")


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    file, *options = arguments
    try:
        credentials = load(Path(file))
        if not options:
            print(json.dumps(headers(credentials)))
    except (ValueError, OSError, GoogleAuthError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


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


def _service_account(file: str) -> Any:
    signing = service_account.Credentials.from_service_account_file(file)  # type: ignore[no-untyped-call]
    quota = {"quota_project_id": signing.quota_project_id}
    return jwt.Credentials.from_signing_credentials(signing, audience=AUDIENCE, **quota)  # type: ignore[no-untyped-call]


def _federated(file: str) -> Any:
    return identity_pool.Credentials.from_file(file, scopes=_SCOPES)  # type: ignore[no-untyped-call]


_LOADERS: dict[str, Callable[[str], Any]] = {"service_account": _service_account, "external_account": _federated}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
