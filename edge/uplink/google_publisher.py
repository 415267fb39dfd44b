"""Sends batches to Pub/Sub, with Google's client.

Starts without a network: credentials are read from a file, and nothing is asked of anybody before the first batch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import InvalidArgument, OutOfRange
from google.auth import identity_pool
from google.cloud.pubsub_v1 import PublisherClient, types
from google.oauth2 import service_account
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from edge.store.store import OutboxBatch
from edge.uplink.sender import MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES
from edge.uplink.uplink import PublishFuture, UplinkError

_HOST = "pubsub.googleapis.com:443"
_ATTEMPT_SECONDS = 30.0
_CHANNEL = [
    # gRPC would otherwise wait up to two minutes before it looks whether the network is back.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.keepalive_time_ms", 30000),
]


class GooglePublisher:
    """Publishes to Pub/Sub, or its emulator if PUBSUB_EMULATOR_HOST is set. A request is one message: a refusal concerns one batch."""

    def __init__(self, topic: str, credentials_file: Path | None = None) -> None:
        """Makes the client. Raises UplinkError. Reads the file (or the one GOOGLE_APPLICATION_CREDENTIALS names), asks no network."""
        self._topic = topic
        self._client = PublisherClient(
            batch_settings=types.BatchSettings(max_messages=1),
            publisher_options=types.PublisherOptions(
                retry=None,
                timeout=_ATTEMPT_SECONDS,
                flow_control=types.PublishFlowControl(
                    message_limit=2 * MAX_IN_FLIGHT,
                    byte_limit=2 * MAX_IN_FLIGHT_BYTES,
                    limit_exceeded_behavior=types.LimitExceededBehavior.BLOCK,
                ),
            ),
            transport=PublisherGrpcTransport(channel=_channel(credentials_file)),
        )

    def publish(self, batch: OutboxBatch) -> PublishFuture:
        try:
            answer: PublishFuture = self._client.publish(self._topic, batch.body, **batch.envelope.attributes())
        except Exception as error:  # noqa: BLE001
            # The client raises some faults of a message here and others in the answer.
            failed: Future[str] = Future()
            failed.set_exception(error)
            return failed
        return answer

    def refuses_only_this(self, error: BaseException) -> bool:
        return isinstance(error, InvalidArgument | OutOfRange | ValueError | TypeError)

    def close(self) -> None:
        self._client.stop()
        self._client.transport.close()


def _channel(credentials_file: Path | None) -> Any:
    if emulator := os.environ.get("PUBSUB_EMULATOR_HOST"):
        return grpc.insecure_channel(emulator, options=_CHANNEL)
    # google.auth.default() would ask the network who we are, and a gateway that is offline would not start.
    file = credentials_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not file:
        raise UplinkError("uplink.credentials_file is not set, nor is GOOGLE_APPLICATION_CREDENTIALS or PUBSUB_EMULATOR_HOST")
    return PublisherGrpcTransport.create_channel(_HOST, credentials=_credentials(Path(file)), options=_CHANNEL)


def _credentials(file: Path) -> Any:
    try:
        content = json.loads(file.read_text())
        load = _LOADERS[content["type"]]
        return load(str(file), scopes=PublisherGrpcTransport.AUTH_SCOPES)
    except KeyError as error:
        raise UplinkError(f"uplink.credentials_file {file}: {error} is missing or not one of {', '.join(_LOADERS)}") from error
    except Exception as error:
        raise UplinkError(f"uplink.credentials_file {file}: {error}") from error


_LOADERS: dict[str, Callable[..., Any]] = {
    "service_account": service_account.Credentials.from_service_account_file,
    "external_account": identity_pool.Credentials.from_file,
}
