"""Puts the pages behind their addresses. Who looks is known before anything is asked; what goes wrong is a page with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

from google.api_core.exceptions import GoogleAPICallError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dash.data.warehouse import TooLong, Unreachable, Warehouse
from dash.pages.catalogue import PAGES
from dash.pages.page import Asking, Missing, Page, Unreadable
from dash.server import answering, files, rendering
from dash.server.guard import allowed_to_answer, guarded
from dash.server.head import BARE, ahead, head
from dash.server.moments import OLDEST, Later, Moments
from dash.server.sign_in import Person, Refused, SignIn
from labels.stores import Store
from program import logs

_log = logs.get(__name__)
_STATIC = rendering.ROOM / "static"
_ASKING = 2
_FORM_SECONDS = 10.0


class Dash:
    """Answers requests from a warehouse, and keeps answers in `labels`; `clock` returns the time, UTC."""

    def __init__(
        self, warehouse: Warehouse, labels: Store, sign_in: SignIn, clock: Callable[[], datetime], later: Later | None = None
    ) -> None:
        """What a page shows is asked anew by `later`, in two threads by default."""
        self._warehouse, self._labels, self._sign_in, self._clock = warehouse, labels, sign_in, clock
        self._moments = Moments(later or ThreadPoolExecutor(_ASKING, "asks-anew").submit)

    def app(self, hosts: list[str]) -> Starlette:
        """Returns the application, for requests that name one of `hosts` (`*`: any)."""
        routes = [
            *(Route(page.path, self._endpoint(page)) for page in PAGES),
            Route("/export/{name}.csv", self._file),
            Route("/export/{name}/{subject}.csv", self._file),
            Route("/alerts/answer", self._take, methods=["POST"]),
            Route("/static/style.css", _style),
            Route("/healthz", lambda _: guarded(Response("ok\n", media_type="text/plain"))),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
        middleware = [
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            Middleware(GZipMiddleware, minimum_size=800),
        ]
        app = Starlette(routes=routes, middleware=middleware, exception_handlers={404: self._not_found, Exception: self._failed})
        app.router.redirect_slashes = False
        return app

    def _endpoint(self, page: Page) -> Callable[[Request], Response]:
        def rendered(asking: Asking, person: Person) -> Response:
            ahead(asking.questions, asking.now)
            content = page.content(asking) | head(asking.questions, asking.now, page, person)
            return HTMLResponse(rendering.rendered(page.template, content))

        return lambda request: guarded(self._answer(request, rendered, may_be_older=True))

    def _file(self, request: Request) -> Response:
        return guarded(self._answer(request, lambda asking, _: files.answered(asking)))

    def _answer(self, request: Request, respond: Callable[[Asking, Person], Response], *, may_be_older: bool = False) -> Response:
        """Answers a person who is let in; what goes wrong is a page with a sentence.

        One that may be older is shown as it was last known, and asked anew behind it.
        """
        try:
            person = self._sign_in(request.headers)
        except Refused as error:
            return self._trouble(403, "Not for you, as things stand", str(error))
        now, page = self._warehouse.whole(self._clock()), (person.viewer, request.url.path, request.url.query)

        def of(moment: datetime, oldest: timedelta | None) -> Response:
            with closing(self._warehouse.asked_by(person.viewer, oldest)) as asked:
                found = respond(Asking(asked, moment, request.path_params, dict(request.query_params), person.answers), person)
            if may_be_older:
                self._moments.note(page, moment)
            return found

        try:
            moment = self._moments.of(page, now, lambda: _quietly(lambda: of(now, None))) if may_be_older else now
            return of(moment, None if moment == now else OLDEST)
        except Missing as error:
            return self._trouble(404, "Not found", str(error))
        except (Unreadable, TooLong) as error:
            return self._trouble(400, "This address cannot be read", str(error))
        except Unreachable as error:
            _log.warning("%s", error)
            return self._trouble(503, "The warehouse is away", f"{error}. Nothing is shown, as nothing is known.", _again(request))

    async def _take(self, request: Request) -> Response:
        """Takes an answer; the form is read here, all else in a thread."""
        body = b""
        try:
            async with asyncio.timeout(_FORM_SECONDS):
                async for part in request.stream():
                    body += part
                    if len(body) > answering.MOST_BYTES:
                        break
        except TimeoutError:
            return guarded(self._trouble(408, "This could not be noted", "The form took too long to arrive."))
        return guarded(await run_in_threadpool(self._taken, request, body))

    def _taken(self, request: Request, body: bytes) -> Response:
        try:
            person = allowed_to_answer(self._sign_in(request.headers), request)
            questions, now = self._warehouse.asked_by(person.viewer), self._clock()
            label = answering.label(answering.form(body), questions, person.name, now)
            self._labels.add([label])
        except Refused as error:
            return self._trouble(403, "Not for you, as things stand", str(error))
        except answering.NotTaken as error:
            return self._trouble(400, "This could not be noted", str(error))
        except (Unreachable, OSError, GoogleAPICallError) as error:
            _log.error("an answer could not be kept: %s", error)
            return self._trouble(503, "It could not be noted just now", "The warehouse does not answer. Please try again later.")
        _log.info("%s: %s", label.alert_id, label.answer)
        self._warehouse.forget()
        self._moments.forget()
        return RedirectResponse("/alerts?noted=1", 303)

    def _trouble(self, status: int, title: str, sentence: str, again: str = "") -> Response:
        content = {"title": title, "sentence": sentence, "again": again, **BARE}
        return HTMLResponse(rendering.rendered("trouble.html.j2", content), status)

    def _not_found(self, request: Request, error: Exception) -> Response:
        return guarded(self._trouble(404, "Not found", "There is no page at this address."))

    def _failed(self, request: Request, error: Exception) -> Response:
        """Says that it is a fault of ours, and no more; the log has the rest."""
        return guarded(self._trouble(500, "This page failed", "It is a fault of the page. Its log says what went wrong."))


def _again(request: Request) -> str:
    """Returns the address that was asked for, without a host: that is whatever the request says."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _quietly(ask: Callable[[], object]) -> None:
    """Asks for nobody who waits: what goes wrong is told to who looks next."""
    try:
        ask()
    except (Missing, Unreadable, TooLong, Unreachable) as error:
        _log.warning("%s", error)


def _style(request: Request) -> Response:
    answer = guarded(Response(rendering.stylesheet(), media_type="text/css"))
    answer.headers["Cache-Control"] = "max-age=3600"
    return answer
