"""Reads files from where they are published: an address, or a folder, such as that of a stick. What is read is not trusted yet.

A download ends at a deadline, however slowly it drips, and at the length that the client allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from urllib import request
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

from releases.error import ReleaseError

_CHUNK = 64 << 10
_SILENCE = 30.0
"""Seconds that a server may say nothing."""
_WEB = ("http", "https")


class Source(FetcherInterface):
    """Is an address (http, https, file) or a folder. All that it gives has to arrive within `seconds` from when it was made."""

    def __init__(self, name: str, *, seconds: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ReleaseError for an address of another kind."""
        self.name, self.base = name, _base_url(name)
        self._clock, self._end = clock, clock() + seconds

    def _fetch(self, url: str) -> Iterator[bytes]:
        chunks = self._read_web(url) if urlsplit(url).scheme in _WEB else _read_folder(url)
        return self._until_deadline(chunks, url)

    @cached_property
    def _web(self) -> request.OpenerDirector:
        return _opener()

    def _until_deadline(self, chunks: Iterator[bytes], url: str) -> Iterator[bytes]:
        for chunk in chunks:
            if self._clock() > self._end:
                raise SlowRetrievalError(f"{url} takes too long")
            yield chunk

    def _read_web(self, url: str) -> Iterator[bytes]:
        try:
            with self._web.open(request.Request(url), timeout=_SILENCE) as response:  # noqa: S310 - http and https alone
                while chunk := response.read1(_CHUNK):
                    yield chunk
        except HTTPError as error:
            with error:
                raise DownloadHTTPError(f"{url}: {error.code} {error.reason}", error.code) from error
        except (OSError, HTTPException) as error:
            raise DownloadError(f"{url}: {error}") from error


def _read_folder(url: str) -> Iterator[bytes]:
    file = Path(unquote(urlsplit(url).path))
    if not file.is_file():
        raise DownloadHTTPError(f"{file} is not there", 404)
    try:
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise DownloadError(f"{file}: {error.strerror}") from error


def _base_url(source: str) -> str:
    """Returns the address of a source: itself, or that of the folder that it names."""
    scheme = urlsplit(source).scheme
    if scheme in (*_WEB, "file"):
        return source.rstrip("/")
    if "://" in source:
        raise ReleaseError(f"{source} is neither a folder nor an address as https://HOST/PATH")
    return Path(source).absolute().as_uri()


def _opener() -> request.OpenerDirector:
    """Opens http and https alone: urllib's own would follow a redirection to ftp."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
