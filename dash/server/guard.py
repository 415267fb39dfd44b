"""Lets in what may come, and says to browsers what a page may do: nothing that is not its own."""

from __future__ import annotations

from starlette.responses import Response

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
