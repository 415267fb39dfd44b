"""Defines how a request is refused: a status and one sentence that says what to do."""

from __future__ import annotations


class Refused(Exception):
    """The request is not taken. `retry_seconds`: when it may be sent again as it is, None if never."""

    def __init__(self, status: int, sentence: str, *, retry_seconds: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.retry_seconds = status, retry_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Returns the headers that go with the status."""
        headers = {"WWW-Authenticate": 'Bearer realm="tinybeam"'} if self.status == 401 else {}
        return headers | ({"Retry-After": str(self.retry_seconds)} if self.retry_seconds is not None else {})
