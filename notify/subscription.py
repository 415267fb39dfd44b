"""Receives the messages of a Pub/Sub subscription, by Google's client: at least once, in no order; one that is not acknowledged comes
again.

Told to stop, it closes the stream first and then gives back every message that is outstanding: one that is given back while the stream
is open comes over that stream again, and is out of everybody's reach until the lease is over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from random import Random
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth import default
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.types import FlowControl

from program import google_credentials, logs, service_manager
from program.backoff import Backoff
from program.settings import ConfigError

LEASE_SECONDS = 10
"""So soon the messages of a killed notifier come again."""

_SCOPE = "https://www.googleapis.com/auth/pubsub"
_BACKOFF = Backoff(max_interval=30.0)
_FLOW = FlowControl(
    max_messages=1000,  # further ones wait in Pub/Sub
    max_bytes=64_000_000,
    max_lease_duration=86_400,
    max_duration_per_lease_extension=LEASE_SECONDS,
)
_LOOK_SECONDS = 0.2
_HANG_UP_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
_IDS_A_REQUEST = 1000

_log = logs.get(__name__)


class SubscriptionError(Exception):
    """The subscription cannot be followed; the text says why."""


class Outstanding:
    """Remembers the messages that came and are not acknowledged. Used by any thread."""

    def __init__(self) -> None:
        self._lock, self._messages = threading.Lock(), dict[str, Message]()

    def add(self, message: Message) -> OutstandingMessage:
        with self._lock:
            self._messages[message.ack_id] = message
        return OutstandingMessage(self, message)

    def discard(self, message: Message) -> None:
        with self._lock:
            self._messages.pop(message.ack_id, None)

    def ack_ids(self) -> list[str]:
        with self._lock:
            return list(self._messages)


class OutstandingMessage:
    """Acknowledges a message: `message.ack()`."""

    def __init__(self, outstanding: Outstanding, message: Message) -> None:
        self._outstanding, self._message = outstanding, message

    def ack(self) -> None:
        self._outstanding.discard(self._message)
        self._message.ack()


def follow(name: str, handle: Callable[[bytes, OutstandingMessage], None], finish: Callable[[], None], stopping: threading.Event) -> None:
    """Hands every message's body, and what acknowledges it, to `handle`, in threads of the client, until `stopping` is set.

    Then it calls `finish`, while leases are still extended; what is not acknowledged when that returns goes back to Pub/Sub at once.
    Raises SubscriptionError when Pub/Sub refuses for good; what is transient the client retries for ever.
    """
    if not os.environ.get("PUBSUB_EMULATOR_HOST"):
        service_manager.ready()
        await_access(_get_token, stopping)
    outstanding = Outstanding()

    def handle_message(message: Message) -> None:
        handle(message.data, outstanding.add(message))

    try:
        with _Client() as client:
            pulling = client.subscribe(name, handle_message, flow_control=_FLOW, await_callbacks_on_shutdown=True)
            service_manager.ready()
            while not stopping.wait(_LOOK_SECONDS):
                service_manager.alive()
                if pulling.done():
                    pulling.result()
                    raise SubscriptionError(f"{name}: the stream ended")
            service_manager.stopping()
            finish()
            _close(pulling)
            _give_back(client, name, outstanding.ack_ids())
    except GoogleAuthError as error:
        raise SubscriptionError(google_credentials.refusal(error)) from error
    except GoogleAPIError as error:
        raise SubscriptionError(f"{name}: {error} (asked with {google_credentials.source()})") from error


def await_access(get_token: Callable[[], None], stopping: threading.Event) -> None:
    """Waits, loudly, for who gives tokens to be reached: the client would wait without a word, and for ever for one that is refused.

    Raises SubscriptionError for credentials that are refused.
    """
    for pause in _BACKOFF.delays(Random()):
        service_manager.alive()
        try:
            google_credentials.check()
            get_token()
        except ConfigError as error:
            raise SubscriptionError(str(error)) from error
        except GoogleAuthError as error:
            if not (error.retryable or isinstance(error, TransportError)):
                raise SubscriptionError(google_credentials.refusal(error)) from error
            _log.warning("Google gives no token now (%s); trying again in %.1f s", error, pause)
        else:
            return
        if stopping.wait(pause):
            return


def _get_token() -> None:
    credentials, _ = default(scopes=[_SCOPE])
    credentials.refresh(Request())  # type: ignore[no-untyped-call]


def _close(pulling: StreamingPullFuture) -> None:
    """Waits for acknowledgements under way; one that is lost costs nothing but a delivery of what is sent already.

    The client gives back by itself what it has not handed over.
    """
    pulling.cancel()
    try:
        pulling.result(_CLOSE_SECONDS)
    except NotYet:
        _log.warning("Pub/Sub did not close the stream within %.0f s", _CLOSE_SECONDS)


def _give_back(client: SubscriberClient, name: str, ack_ids: list[str]) -> None:
    """Gives messages back by requests of its own, for the client drops a nack that comes after its stream is closed."""
    try:
        for first in range(0, len(ack_ids), _IDS_A_REQUEST):
            client.modify_ack_deadline(
                subscription=name,
                ack_ids=ack_ids[first : first + _IDS_A_REQUEST],
                ack_deadline_seconds=0,
                retry=Retry(timeout=_CLOSE_SECONDS),
                timeout=_CLOSE_SECONDS,
            )
    except GoogleAPIError as error:
        _log.warning("what is not sent comes again in %d s, not at once: %s", LEASE_SECONDS, error)


class _Client(SubscriberClient):  # type: ignore[misc]
    """Is Google's client, but its streams hang up before they are cancelled.

    Google's emulator (0.8.20) never lets go of a stream that is only cancelled, or whose process was killed: it goes on sending it its
    share of the messages, and each is out of reach for a lease, again and again. A stream whose requests have ended it closes properly.
    """

    def streaming_pull(self, requests: Iterator[Any], **how: Any) -> _Stream:
        return _Stream(super().streaming_pull(requests, **how))


class _Stream:
    """Is a call as google.api_core.bidi uses it, which ends the requests within a second when the call is not active any more."""

    def __init__(self, call: Any) -> None:
        self._call, self._hung_up, self._ended = call, threading.Event(), threading.Event()
        self.add_done_callback(lambda _: self._ended.set())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        # The call of api_core has no such method; what it wraps is grpc's.
        self._call._wrapped.add_done_callback(callback)  # noqa: SLF001

    def __next__(self) -> Any:
        return next(self._call)

    def is_active(self) -> bool:
        return bool(not self._hung_up.is_set() and self._call.is_active())

    def cancel(self) -> None:
        self._hung_up.set()
        self._ended.wait(_HANG_UP_SECONDS)
        self._call.cancel()
