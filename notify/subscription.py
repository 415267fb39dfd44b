"""Messages of a Pub/Sub subscription, by Google's client. At least once, in no order; one that is not acknowledged comes again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotYet

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.types import FlowControl

MAX_MESSAGES = 1000
"""So many may be under way; further ones wait in Pub/Sub."""
MAX_BYTES = 64_000_000
LEASE_SECONDS = 86_400
_LOOK_SECONDS = 0.2
_LEAVE_SECONDS = 10.0


class SubscriptionError(Exception):
    """The subscription cannot be followed; the text says why."""


def follow(name: str, take: Callable[[bytes, Callable[[], None]], None], stopping: threading.Event) -> None:
    """Hands every message's body and its acknowledgement to `take`, in threads of the client, until told to stop.

    Raises SubscriptionError when Pub/Sub refuses for good; what is transient the client retries for ever.
    """

    def take_message(message: Message) -> None:
        take(message.data, message.ack)

    try:
        with SubscriberClient() as client:
            flow = FlowControl(max_messages=MAX_MESSAGES, max_bytes=MAX_BYTES, max_lease_duration=LEASE_SECONDS)
            pulling = client.subscribe(name, take_message, flow_control=flow)
            while not stopping.wait(_LOOK_SECONDS):
                if pulling.done():
                    pulling.result()
                    raise SubscriptionError(f"{name}: the stream ended")
            pulling.cancel()
            pulling.result(_LEAVE_SECONDS)
    except (GoogleAPICallError, GoogleAuthError, NotYet) as error:
        raise SubscriptionError(f"{name}: {error}") from error
