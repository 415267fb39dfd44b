"""Measures the bytes around a request to Pub/Sub: Google's own client against a Publish on this machine, all that it sends counted.

Without TLS and TCP; with headers, frames, windows and pings of HTTP/2. The token is a header that gRPC sends whole each time.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import grpc
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from bench.publish_service import publish_service
from edge.uplink.google_publisher import CHANNEL_OPTIONS

TOKEN = "aB3-" * 180 + "aB3"
"""As long as what a service account with a name of 51 characters signs for itself, and as hard to compress."""
FEDERATED_TOKEN = "aB3-" * 256
"""As long as an access token that a federated identity gets for a service account."""
_REQUESTS = 8
_QUIET_SECONDS = 0.2


def bytes_around(token: str = "") -> float:
    """Returns what a request costs beside itself: the median of some, without the first, which opens the connection."""
    request = PublishRequest(topic="projects/p/topics/t", messages=[PubsubMessage(data=b"x" * 500, attributes={"kind": "summaries"})])
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with _service() as port, _relay(port) as relay, _channel(relay.port) as channel:
        client = PublisherClient(transport=PublisherGrpcTransport(channel=channel, client_info=None))  # type: ignore[arg-type]
        sizes = [relay.sent]
        for _ in range(_REQUESTS):
            client.publish(request=request, retry=None, timeout=10.0, metadata=metadata)
            time.sleep(_QUIET_SECONDS)  # pings and window updates of the request still come
            sizes.append(relay.sent)
    own = len(PublishRequest.serialize(request))
    return median(later - earlier - own for earlier, later in pairwise(sizes[1:]))


def _channel(port: int) -> grpc.Channel:
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)


@contextmanager
def _service() -> Iterator[int]:
    """Yields the port of a Pub/Sub that takes everything."""
    server, port = publish_service(lambda _: None)
    server.start()
    yield port
    server.stop(0).wait()


@dataclass(slots=True)
class _Relay:
    """Counts what a client sends through it."""

    port: int
    sent: int = 0
    threads: list[threading.Thread] = field(default_factory=list)


@contextmanager
def _relay(port: int) -> Iterator[_Relay]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = _Relay(server.getsockname()[1])
        relay.threads.append(threading.Thread(target=_carry, args=(relay, server, port), daemon=True))
        relay.threads[0].start()
        yield relay
    for thread in relay.threads:
        thread.join(10)


def _carry(relay: _Relay, server: socket.socket, port: int) -> None:
    with server.accept()[0] as client, socket.create_connection(("127.0.0.1", port)) as service:
        back = threading.Thread(target=_pump, args=(service, client), daemon=True)
        relay.threads.append(back)
        back.start()
        while part := client.recv(1 << 16):
            relay.sent += len(part)
            service.sendall(part)
        service.shutdown(socket.SHUT_WR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(1 << 16):
            target.sendall(part)
    except OSError:
        return  # the client is gone
