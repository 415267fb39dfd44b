"""Serves Pub/Sub's Publish on this machine: everything is taken, and a benchmark notes what it wants of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse


def publish_service(note: Callable[[PublishRequest], None], port: int = 0) -> tuple[grpc.Server, int]:
    """Returns a server that is not started yet, and its port, a free one for 0. `note` is called before each answer, from any thread."""

    def publish(request: PublishRequest, _context: grpc.ServicerContext) -> PublishResponse:
        note(request)
        return PublishResponse(message_ids=[str(number) for number in range(len(request.messages))])

    method = grpc.unary_unary_rpc_method_handler(publish, PublishRequest.deserialize, PublishResponse.serialize)
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": method}),))
    return server, server.add_insecure_port(f"127.0.0.1:{port}")
