"""Runs drongo's Pub/Sub where Google's emulator is absent: `python -m lab.services.drongo_server FILE` writes its address to FILE."""

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

_POLL_SECONDS = 0.05


class StreamingEmulator(PubSubEmulator):
    """Adds StreamingPull, which drongo lacks and Google's subscriber client needs.

    There are no leases, as in drongo: a message that a stream did not acknowledge comes again as soon as the stream ends.
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
        ack_ids: list[str] = []
        while context.is_active() and not ended.wait(_POLL_SECONDS):
            pulled = self._backend().pull(name, 100)
            ack_ids += [ack_id for ack_id, _ in pulled]
            messages = [types.ReceivedMessage(ack_id=ack_id, message=self._to_message_proto(message)) for ack_id, message in pulled]
            if messages:
                yield types.StreamingPullResponse(received_messages=messages)
        self._backend().modify_ack_deadline(name, ack_ids, 0)

    def _follow(self, name: str, requests: Iterator[Any], ended: threading.Event) -> None:
        """Acknowledges messages and moves their deadlines as the client asks."""
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
    """The emulator runs until SIGTERM or SIGINT."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    emulator = StreamingEmulator()
    emulator.start()
    part = address_file.with_suffix(".part")
    part.write_text(os.environ[PubSubEmulator.ENV_VAR])
    part.replace(address_file)
    signal.sigwait(ends)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
