"""Sends batches to Pub/Sub, with Google's client.

Starts without a network: credentials are read from a file, and nothing is asked of anybody before the first batch. What Google's client
would load to sign tokens is left to a child (edge.uplink.access).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import InvalidArgument, OutOfRange, PermissionDenied, Unauthenticated
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from edge.store.store import OutboxBatch
from edge.uplink.access import Access
from edge.uplink.uplink import LinkDown, PublishFuture, UplinkError
from schemas.envelope import MAX_MESSAGE_BYTES
from schemas.message import message_parts
from schemas.records import LinkState

_HOST = "pubsub.googleapis.com:443"
_ATTEMPT_SECONDS = 30.0
_REQUESTS = 8
"""So many are under way at most; more wait their turn."""
CHANNEL_OPTIONS = [
    # gRPC would otherwise wait up to two minutes before it looks whether the network is back.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.keepalive_time_ms", 30000),
    # Measures the line by a ping with each answer, so that large answers come faster: ours have a few bytes.
    ("grpc.http2.bdp_probe", 0),
]


class GooglePublisher:
    """Publishes to Pub/Sub, or its emulator if PUBSUB_EMULATOR_HOST is set. Batches that are given together are one request."""

    def __init__(self, topic: str, credentials_file: Path | None = None, shard: str | None = None) -> None:
        """Makes the client. Raises UplinkError. Reads the file (or the one GOOGLE_APPLICATION_CREDENTIALS names), asks no network."""
        self._topic, self._shard = topic, shard
        self._access, self._channel = _opened(credentials_file)
        # Without a client_info no header names the versions of Python and of libraries: 64 bytes less with each request.
        transport = PublisherGrpcTransport(channel=self._channel, client_info=None)  # type: ignore[arg-type]
        self._client = PublisherClient(transport=transport)
        self._requests = ThreadPoolExecutor(_REQUESTS, thread_name_prefix="publish")

    def publish(self, batches: Sequence[OutboxBatch]) -> PublishFuture:
        # Not client.publish of google.cloud.pubsub: it gathers messages by a clock of its own, and a refusal of one is told of all.
        return self._requests.submit(self._publish, batches)

    def _publish(self, batches: Sequence[OutboxBatch]) -> None:
        request = publish_request(self._topic, batches, self._shard)
        if PublishRequest.pb(request).ByteSize() > MAX_MESSAGE_BYTES:
            raise ValueError(f"a request to Pub/Sub has at most {MAX_MESSAGE_BYTES} bytes")
        headers = self._access.headers() if self._access else ()
        try:
            self._client.publish(request=request, retry=None, timeout=_ATTEMPT_SECONDS, metadata=headers)
        except (Unauthenticated, PermissionDenied) as error:
            # The key may have been replaced, or the clock been set: the next attempt is made with a new token.
            if self._access and isinstance(error, Unauthenticated):
                self._access.forget()
            raise LinkDown(f"Pub/Sub answers, and takes nothing from this gateway: {error}", LinkState.REFUSED) from error

    def refuses_only_this(self, error: BaseException) -> bool:
        return isinstance(error, InvalidArgument | OutOfRange | ValueError | TypeError)

    def close(self) -> None:
        # Without a wait: a request may be under way for half a minute, others behind it, and a batch without an answer stays in the store.
        self._requests.shutdown(wait=False, cancel_futures=True)
        if self._access:
            self._access.close()
        self._channel.close()


def publish_request(topic: str, batches: Sequence[OutboxBatch], shard: str | None = None) -> PublishRequest:
    """Returns what is sent: a message for each batch, with the shard as an attribute by which subscriptions filter."""
    routing = {"shard": shard} if shard else {}
    parts = (message_parts(batch.envelope, batch.body, batch.signature) for batch in batches)
    return PublishRequest(topic=topic, messages=[PubsubMessage(attributes=attributes | routing, data=data) for attributes, data in parts])


def _opened(credentials_file: Path | None) -> tuple[Access | None, Any]:
    """Returns what makes the headers of requests, none for an emulator, and a channel."""
    if emulator := os.environ.get("PUBSUB_EMULATOR_HOST"):
        return None, grpc.insecure_channel(emulator, options=CHANNEL_OPTIONS)
    # google.auth.default() would ask the network who we are, and a gateway that is offline would not start.
    file = credentials_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not file:
        raise UplinkError("uplink.credentials_file is not set, nor is GOOGLE_APPLICATION_CREDENTIALS or PUBSUB_EMULATOR_HOST")
    return Access(Path(file)), grpc.secure_channel(_HOST, grpc.ssl_channel_credentials(), options=CHANNEL_OPTIONS)
