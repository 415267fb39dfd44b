"""The outbox -> Pub/Sub, in a thread of its own, with Google's client. What it guarantees is said in edge.uplink.sender.

Starts without a network: credentials are read from a file, and nothing is asked of anybody before the first batch.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from random import Random
from typing import Any

import grpc
from google.api_core.exceptions import InvalidArgument, OutOfRange
from google.auth import identity_pool
from google.cloud.pubsub_v1 import PublisherClient, types
from google.oauth2 import service_account
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from edge.store.store import Store
from edge.uplink.sender import MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES, Answer, Publisher, Sender
from program import logs
from program.backoff import Backoff

_HOST = "pubsub.googleapis.com:443"
_ATTEMPT_SECONDS = 30.0
_CHANNEL = [
    # gRPC would otherwise wait up to two minutes before it looks whether the network is back.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.keepalive_time_ms", 30000),
]

_log = logs.get(__name__)


class UplinkError(Exception):
    """The uplink cannot be set up; the text names the setting."""


class Uplink:
    """Sends the store's batches from `start` to `stop`."""

    def __init__(  # noqa: PLR0913
        self,
        store: Store,
        publisher: Publisher,
        topic: str,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Random | None = None,
    ) -> None:
        self._woken, self._stopping, self._clock = threading.Event(), threading.Event(), clock
        self._delivery = Sender(
            store,
            publisher,
            topic,
            backoff=backoff or Backoff(),
            chance=chance or Random(),
            wake=self._woken.set,
        )
        self._stop_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    @property
    def state(self) -> str:
        """online since the last confirmation, offline since the last failure and at the start, or paused."""
        if self._delivery.paused:
            return "paused"
        return "online" if self._delivery.online else "offline"

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def wake(self) -> None:
        """Something was cut."""
        self._woken.set()

    def pause(self) -> None:
        """Sends nothing more until `resume`; what is under way is still confirmed."""
        self._delivery.paused = True

    def resume(self) -> None:
        self._delivery.paused = False
        self.wake()

    def stop(self, deadline: float) -> None:
        """Sends what waits, for at most so many seconds and while the uplink is up; the rest stays in the store."""
        self._stop_by = self._clock() + deadline
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(deadline + 1)

    def _run(self) -> None:
        while True:
            due = self._turn()
            if self._finished():
                break
            self._woken.wait(min(due, max(self._stop_by - self._clock(), 0.0)))
            self._woken.clear()

    def _turn(self) -> float:
        try:
            return self._delivery.turn(self._clock())
        except Exception as error:  # noqa: BLE001
            # Whatever it was: readings go on being stored, and if this thread ended the gateway would be silent for ever.
            _log.exception("uplink: a turn failed")
            self._delivery.back_off(error, self._clock())
            return 1.0

    def _finished(self) -> bool:
        return self._stopping.is_set() and (self._clock() >= self._stop_by or self._delivery.idle())


class GooglePublisher:
    """google-cloud-pubsub; the emulator's if PUBSUB_EMULATOR_HOST is set. One message a request, so that a refusal concerns one batch."""

    def __init__(self, credentials_file: Path | None = None) -> None:
        """Raises UplinkError. Reads the file (or the one GOOGLE_APPLICATION_CREDENTIALS names), asks no network."""
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

    def publish(self, topic: str, body: bytes, attributes: Mapping[str, str]) -> Answer:
        try:
            answer: Answer = self._client.publish(topic, body, **attributes)
        except Exception as error:  # noqa: BLE001
            # The client raises some faults of a message here and others in the answer.
            failed: Future[str] = Future()
            failed.set_exception(error)
            return failed
        return answer

    def refused_only_this(self, error: BaseException) -> bool:
        return isinstance(error, InvalidArgument | OutOfRange | ValueError | TypeError)

    def close(self) -> None:
        """Waits for what is under way and closes the connection."""
        self._client.stop()
        self._client.transport.close()


def _channel(credentials_file: Path | None) -> Any:
    if emulator := os.environ.get("PUBSUB_EMULATOR_HOST"):
        return grpc.insecure_channel(emulator, options=_CHANNEL)
    # google.auth.default() would ask the network who we are, and a gateway that is offline would not start.
    file = credentials_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not file:
        raise UplinkError("pubsub.credentials_file is not set, nor is GOOGLE_APPLICATION_CREDENTIALS or PUBSUB_EMULATOR_HOST")
    return PublisherGrpcTransport.create_channel(_HOST, credentials=_credentials(Path(file)), options=_CHANNEL)


def _credentials(file: Path) -> Any:
    try:
        content = json.loads(file.read_text())
        load = _LOADERS[content["type"]]
        return load(str(file), scopes=PublisherGrpcTransport.AUTH_SCOPES)
    except KeyError as error:
        raise UplinkError(f"pubsub.credentials_file {file}: {error} is missing or not one of {', '.join(_LOADERS)}") from error
    except Exception as error:
        raise UplinkError(f"pubsub.credentials_file {file}: {error}") from error


_LOADERS: dict[str, Callable[..., Any]] = {
    "service_account": service_account.Credentials.from_service_account_file,
    "external_account": identity_pool.Credentials.from_file,
}
