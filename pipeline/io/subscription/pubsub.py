"""Connects to a subscription of Google's Pub/Sub, or of the emulator that PUBSUB_EMULATOR_HOST names, by unary calls."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import grpc
from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from pipeline.elements import ReceivedMessage, wall_clock
from pipeline.io.append import brief
from pipeline.io.subscription.puller import Puller, Unreachable
from schemas.message import unfolded

PULL_SECONDS = 10.0
CALL_SECONDS = 20.0
_ERRORS = (GoogleAPICallError, RetryError, GoogleAuthError, grpc.RpcError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def puller(subscription: str) -> Puller:
    """Returns the puller of this process: a message is out until whoever wrote it says so, in whichever thread."""
    return puller_at(subscription, os.environ.get("PUBSUB_EMULATOR_HOST"))


def puller_at(subscription: str, emulator: str | None) -> Puller:
    """Returns a puller of its own, of Google's Pub/Sub or of an emulator."""
    return Puller(PubSubConnection(_client(emulator), subscription), time.monotonic, wall_clock, Random())


class PubSubConnection:
    """Connects to one subscription, named in full."""

    def __init__(self, client: SubscriberClient, subscription: str) -> None:
        self._client = client
        self._subscription = subscription

    def pull(self, most: int) -> list[ReceivedMessage]:
        try:
            answer = _called(self._client.pull, subscription=self._subscription, max_messages=most, timeout=PULL_SECONDS)
        except _Nothing:
            return []
        return [_received(each) for each in type(answer).pb(answer).received_messages]

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        _called(self._client.acknowledge, subscription=self._subscription, ack_ids=ack_ids, timeout=CALL_SECONDS)

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        modify = self._client.modify_ack_deadline
        _called(modify, subscription=self._subscription, ack_ids=ack_ids, ack_deadline_seconds=seconds, timeout=CALL_SECONDS)


class _Nothing(Unreachable):
    """The time of a call was over."""


def _called(method: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return method(retry=None, **arguments)
    except DeadlineExceeded as error:
        raise _Nothing(brief(error)) from error
    except _ERRORS as error:
        raise Unreachable(brief(error)) from error


def _client(emulator: str | None) -> SubscriberClient:
    if not emulator:
        return SubscriberClient()
    channel = grpc.insecure_channel(emulator, options=[("grpc.max_receive_message_length", -1)])
    return SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


def _received(pulled: Any) -> ReceivedMessage:
    """Makes a message of Google's own, in protobuf; `received_time` is when Pub/Sub received it."""
    published = pulled.message.publish_time
    attributes, body = unfolded(dict(pulled.message.attributes), pulled.message.data)
    return ReceivedMessage(
        attributes, body, _EPOCH + timedelta(seconds=published.seconds, microseconds=published.nanos // 1000), pulled.ack_id
    )
