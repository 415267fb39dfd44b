"""drongo's Pub/Sub where Google's emulator is absent: `python -m lab.services.drongo_server FILE` writes its address to FILE."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from drongo.core.exceptions import DrongoHttpError
from drongo.services.pubsub.emulator import PubSubEmulator
from google.pubsub_v1 import types

_LOOK_SECONDS = 0.05


class Streaming(PubSubEmulator):
    """drongo with StreamingPull, which it lacks and Google's subscriber client needs.

    Without leases, as in drongo: what a stream held when it ended comes again, at once.
    """

    def _build_handlers(self) -> Any:
        pull = grpc.stream_stream_rpc_method_handler(
            self._streaming_pull,
            request_deserializer=types.StreamingPullRequest.deserialize,
            response_serializer=types.StreamingPullResponse.serialize,
        )
        return (grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", {"StreamingPull": pull}), *super()._build_handlers())

    def _streaming_pull(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        name = next(requests).subscription
        try:
            self._backend().get_subscription(name)
        except DrongoHttpError as error:
            context.abort(grpc.StatusCode.NOT_FOUND, error.message)
        ended = threading.Event()
        threading.Thread(target=self._follow, args=(name, requests, ended), daemon=True).start()
        given: list[str] = []
        while context.is_active() and not ended.wait(_LOOK_SECONDS):
            pulled = self._backend().pull(name, 100)
            given += [ack_id for ack_id, _ in pulled]
            messages = [types.ReceivedMessage(ack_id=ack_id, message=self._to_message_proto(message)) for ack_id, message in pulled]
            if messages:
                yield types.StreamingPullResponse(received_messages=messages)
        self._backend().modify_ack_deadline(name, given, 0)

    def _follow(self, name: str, requests: Iterator[Any], ended: threading.Event) -> None:
        """What the client says of the messages that it has."""
        try:
            for request in requests:
                self._backend().acknowledge(name, list(request.ack_ids))
                for ack_id, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
                    self._backend().modify_ack_deadline(name, [ack_id], seconds)
        except grpc.RpcError:
            return
        finally:
            ended.set()


def serve(address_file: Path) -> None:
    """Runs until SIGTERM or SIGINT."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    emulator = Streaming()
    emulator.start()
    written = address_file.with_suffix(".part")
    written.write_text(os.environ[PubSubEmulator.ENV_VAR])
    written.replace(address_file)
    signal.sigwait(ends)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
