"""Lets in what may come, and says to browsers what a page may do: nothing that is not its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from dash.server.sign_in import Person, Refused

# Charts carry widths in style attributes; there is no script but the page's own file.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def guarded(response: Response) -> Response:
    """Adds the headers of every answer."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def allowed_to_answer(person: Person, request: Request) -> Person:
    """Returns the person if they may answer, by a form of ours. Raises Refused."""
    if person.answers and _is_own(request):
        return person
    raise Refused("You may look, but not answer here.")


def _is_own(request: Request) -> bool:
    """Returns whether a form was sent by a page of ours: browsers say where a form stood, and other sites cannot change that."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")
