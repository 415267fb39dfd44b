"""Messages of a Pub/Sub subscription, by Google's client. At least once, in no order; one that is not acknowledged comes again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotYet

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.types import FlowControl

_FLOW = FlowControl(
    max_messages=1000,  # further ones wait in Pub/Sub
    max_bytes=64_000_000,
    max_lease_duration=86_400,
    max_duration_per_lease_extension=10,  # so soon the messages of a killed notifier come again
)
_LOOK_SECONDS = 0.2
_LEAVE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class SubscriptionError(Exception):
    """The subscription cannot be followed; the text says why."""


def follow(name: str, take: Callable[[bytes, Message], None], leave: Callable[[], None], stopping: threading.Event) -> None:
    """Hands every message's body, and the message to be acknowledged, to `take`, in threads of the client, until told to stop; then leaves.

    Raises SubscriptionError when Pub/Sub refuses for good; what is transient the client retries for ever.
    """

    def take_message(message: Message) -> None:
        take(message.data, message)

    try:
        with SubscriberClient() as client:
            pulling = client.subscribe(name, take_message, flow_control=_FLOW)
            while not stopping.wait(_LOOK_SECONDS):
                if pulling.done():
                    pulling.result()
                    raise SubscriptionError(f"{name}: the stream ended")
            leave()
            pulling.cancel()
            _wait(pulling)
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise SubscriptionError(f"{name}: {error}") from error


def _wait(pulling: StreamingPullFuture) -> None:
    """For acknowledgements under way; one that is lost costs nothing but a delivery of what is told already."""
    try:
        pulling.result(_LEAVE_SECONDS)
    except NotYet:
        _log.warning("Pub/Sub did not take leave within %.0f s", _LEAVE_SECONDS)
