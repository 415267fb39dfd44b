"""Asks the warehouse what a page shows, for who looks. An answer is kept for some seconds, and asked once however many want it.

The site-bound viewer is enforced here, twice: every query takes the viewer's sites as parameters that no caller can set, and every row
names its site, so that a row of another site is dropped whatever the SQL says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import requests
from google.api_core.exceptions import ClientError, GoogleAPIError, TooManyRequests
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from dash.data.kept import Answer, Kept
from dash.data.viewer import Viewer
from program import logs
from sql.questions import bound
from sql.scripts import Script, scripts
from sql.service import reason

Row = Mapping[str, Any]

MOST_ROWS = 100_000
"""So many rows and one has an answer at most, so that who asks sees that there are more."""
_AT_ONCE = 8
"""Queries that the warehouse is asked at once, besides those that somebody waits for."""
_log = logs.get(__name__)
_ROOM = Path(__file__).parents[1]
_ANSWER_SECONDS = 60.0
_VIEWER = ("sites", "all_sites")
_FAILURES = (GoogleAPIError, GoogleAuthError, requests.exceptions.RequestException, NotInTime)


class Unreachable(RuntimeError):
    """The warehouse gave no answer; the text is a sentence for people, without the service's own words: those are for the log."""


class TooLong(ValueError):
    """An answer has more than MOST_ROWS rows, and what were counted of them would be too few; the text says what to do."""


@cache
def queries() -> Mapping[str, Script]:
    """Returns the queries of the dash by name."""
    return {script.name: script for script in scripts("queries", root=_ROOM)}


class Warehouse:
    """Is one for the process; may be used by several threads: `Warehouse(client, 30).asked_by(Viewer()).query("sites")`."""

    def __init__(self, client: bigquery.Client, keep_seconds: float, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._client, self._keep, self._clock = client, timedelta(seconds=keep_seconds), clock
        self._kept = Kept()
        self._asking: dict[object, Future[Answer]] = {}
        self._lock = threading.Lock()
        self._ahead = ThreadPoolExecutor(_AT_ONCE, "asks-ahead")
        self.bytes_read: int | None = 0
        """What the service read for everybody so far, None if it does not say."""

    def asked_by(self, viewer: Viewer, oldest: timedelta | None = None) -> Questions:
        """Returns what asks for a viewer, who takes answers that are so old; by default as old as they are kept for."""
        return Questions(self, viewer, oldest or self._keep)

    def forget(self) -> None:
        """Asks anew of everything from now on: something was written."""
        with self._lock:
            self._kept.clear()
            self._asking.clear()

    def whole(self, time: datetime) -> datetime:
        """Returns a time of which the same answer is kept: the last multiple of the time for which one is."""
        return time - (time - datetime.fromtimestamp(0, UTC)) % self._keep if self._keep else time

    def begin(self, script: Script, values: Mapping[str, Any], oldest: timedelta) -> Future[tuple[Answer, bool]]:
        """Begins to find an answer in another thread; cancel it if it has not begun when it is wanted."""
        return self._ahead.submit(self.answer, script, values, oldest)

    def answer(self, script: Script, values: Mapping[str, Any], oldest: timedelta) -> tuple[Answer, bool]:
        """Returns an answer that is no older, and whether it was asked for this call. Raises Unreachable.

        Who asks what is being asked waits for that answer, and fails with it: nobody waits for two failures.
        """
        key = _key(script, values)
        with self._lock:
            if (kept := self._kept.get(key, self._clock() - oldest)) is not None:
                return kept, False
            theirs = self._asking.get(key)
            mine = self._asking[key] = theirs or Future()
        return (theirs.result(), False) if theirs else (self._asked(key, mine, script, values), True)

    def _asked(self, key: object, asking: Future[Answer], script: Script, values: Mapping[str, Any]) -> Answer:
        """Asks, and tells whoever waits for the same; what was forgotten meanwhile is not kept."""
        try:
            answer = self._ask(script, values)
        except BaseException as error:
            self._end(key, asking)
            asking.set_exception(error)
            raise
        self._end(key, asking, answer)
        asking.set_result(answer)
        return answer

    def _end(self, key: object, asking: Future[Answer], answer: Answer | None = None) -> None:
        with self._lock:
            if answer:
                self.bytes_read = _total(self.bytes_read, answer.bytes_read)
            if self._asking.get(key) is asking:
                del self._asking[key]
                if answer:
                    self._kept.put(key, answer)

    def _ask(self, script: Script, values: Mapping[str, Any]) -> Answer:
        config = bigquery.QueryJobConfig(query_parameters=[bound(parameter, values[parameter.name]) for parameter in script.parameters])
        asked_time = self._clock()
        try:
            rows = self._client.query_and_wait(
                script.text,
                job_config=config,
                retry=None,  # type: ignore[arg-type]  # None: whoever looks sees a failure at once
                job_retry=None,  # type: ignore[arg-type]
                api_timeout=_ANSWER_SECONDS,
                wait_timeout=_ANSWER_SECONDS,
                max_results=MOST_ROWS + 1,
            )
            return Answer(tuple(dict(row) for row in rows), asked_time, rows.total_bytes_processed)
        except _FAILURES as error:
            _log.warning("%s: %s", script.name, reason(error))
            raise Unreachable(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    """Says what is wrong to whoever looks. The service's own words may hold values of any site, so they are not repeated."""
    if isinstance(error, ClientError) and not isinstance(error, TooManyRequests):
        return "The warehouse refuses to answer; the log of this page says why (was `tinybeam sql apply` run?)"
    return "The warehouse does not answer"


def _total(read: int | None, more: int | None) -> int | None:
    return None if read is None or more is None else read + more


def _key(script: Script, values: Mapping[str, Any]) -> object:
    return (script.name, *((name, tuple(value) if isinstance(value, list) else value) for name, value in sorted(values.items())))


class Questions:
    """Asks for one viewer, for one request, in one thread.

    `bytes_read` is what the service read for it, None if it does not say, `oldest` when the oldest answer was asked.
    """

    def __init__(self, warehouse: Warehouse, viewer: Viewer, oldest: timedelta) -> None:
        self.viewer, self._oldest = viewer, oldest
        self.bytes_read, self.oldest = 0, None  # type: int | None, datetime | None
        self._warehouse = warehouse
        self._begun: dict[object, Future[tuple[Answer, bool]]] = {}

    @property
    def bytes_read_by_all(self) -> int | None:
        """Returns what the service read for everybody since the dash started, None if it does not say."""
        return self._warehouse.bytes_read

    def ahead(self, *names: str, **parameters: Any) -> None:
        """Begins to ask queries that take these parameters, so that the warehouse works on several: `query` asks for each afterwards.

        Raises what `query` raises for parameters.
        """
        for name in names:
            script, values = self._bound(name, parameters)
            key = _key(script, values)
            if key not in self._begun:
                self._begun[key] = self._warehouse.begin(script, values, self._oldest)

    def query(self, name: str, **parameters: Any) -> tuple[Row, ...]:
        """Returns what dash/queries/NAME.sql answers of the viewer's sites. Times are taken to whole multiples of `keep_seconds`.

        Raises Unreachable, TooLong; KeyError for a parameter that is missing, TypeError for one that the query does not have.
        """
        script, values = self._bound(name, parameters)
        if parameters.get("site_id") and not self.viewer.sees(parameters["site_id"]):
            return ()  # Unasked: how long an answer takes would say whether there is such a site.
        begun = self._begun.pop(_key(script, values), None)
        # What waits for a thread is asked in this one.
        answer, is_new = begun.result() if begun and not begun.cancel() else self._warehouse.answer(script, values, self._oldest)
        self.bytes_read = _total(self.bytes_read, answer.bytes_read if is_new else 0)
        self.oldest = min(self.oldest or answer.asked_time, answer.asked_time)
        if len(answer.rows) > MOST_ROWS:
            raise TooLong(f"these are more than {MOST_ROWS} rows: name fewer days, or ask with `tinybeam sql query`")
        return tuple(row for row in answer.rows if self.viewer.sees(row["site_id"]))

    def close(self) -> None:
        """Ends the request: what was begun ahead, and neither wanted nor asked yet, is not asked any more."""
        for begun in self._begun.values():
            begun.cancel()

    def _bound(self, name: str, parameters: Mapping[str, Any]) -> tuple[Script, Mapping[str, Any]]:
        """Returns a query and the values of its parameters, the viewer's among them."""
        script = queries()[name]
        taken = {parameter.name for parameter in script.parameters} - set(_VIEWER)
        if unknown := parameters.keys() - taken:
            raise TypeError(f"{name} takes no {min(unknown)}")
        values = {key: self._warehouse.whole(value) if isinstance(value, datetime) else value for key, value in parameters.items()}
        return script, values | {"sites": sorted(self.viewer.sites or ()), "all_sites": self.viewer.all_sites}
