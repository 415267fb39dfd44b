"""Hands posted messages to the gateway as the broker's client does, and answers them when they are stored.

At least once: a sender without an answer of 200 sends again. A message that was answered by 503 may be stored all the same, and is
recognised when it comes again if its readings have times.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from edge.config import Config
from edge.intake.http.admission import Admission
from edge.intake.http.refusal import Refused
from edge.intake.http.request import Service
from edge.intake.http.tokens import Tokens
from edge.intake.reader import MqttMessage
from edge.intake.receive_queue import ReceiveQueue
from edge.intake.stream import Incoming
from edge.serving.server import Endpoint, Server
from edge.serving.server_tls import ServerTls

STORED_SECONDS, ROOM_SECONDS = 10.0, 2.0
_RETRY_SECONDS = 10


class HttpIntake:
    """Listens from its making, takes messages from `start` to `stop`; the queue is what the loop takes them from."""

    def __init__(self, config: Config, waiting: ReceiveQueue, is_full: Callable[[], bool]) -> None:
        """`is_full` says whether the store takes nothing now. Raises ConfigError for files of [http], OSError for its address."""
        self._waiting, self._is_full = waiting, is_full
        self._lock, self._posts, self._is_stopping = threading.Lock(), set[_Post](), False
        self._service = Service(Admission(config, Tokens(config.http.tokens_file)), self)
        settings = config.http
        endpoint = Endpoint("http", settings.host, settings.port, settings.max_connections, settings.max_connections_per_address)
        self._server = Server(endpoint, ServerTls(settings.tls_files) if settings.tls_files else None, self._service.serve)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def connections(self) -> int:
        return self._server.connections

    @property
    def answers(self) -> Mapping[int, int]:
        """Returns how many requests were answered, by status."""
        return self._service.answers.by_status

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """Answers those that wait by 503, and closes everything."""
        with self._lock:
            self._is_stopping = True
            for post in self._posts:
                post.give_up()
        self._server.stop()

    def check_room(self) -> None:
        """Raises Refused while the store is full."""
        if self._is_stopping or self._is_full():
            raise Refused(503, "the gateway has no room now: send it again", retry_seconds=_RETRY_SECONDS)

    def take(self, message: MqttMessage) -> None:
        """Returns once the message is stored. Raises Refused if that is not known in time."""
        post = _Post()
        with self._lock:
            self.check_room()
            self._posts.add(post)
        try:
            if not self._waiting.offer([Incoming(message, 1, post)], ROOM_SECONDS):
                raise Refused(503, "the gateway has too much to do now: send it again", retry_seconds=_RETRY_SECONDS)
            if not post.is_stored(STORED_SECONDS):
                raise Refused(503, "it is not known yet whether it is stored: send it again", retry_seconds=_RETRY_SECONDS)
        finally:
            with self._lock:
                self._posts.discard(post)


class _Post:
    """Stands where the stream of an MQTT message stands: it is told when the message is stored."""

    def __init__(self) -> None:
        self._is_over, self._is_stored = threading.Event(), False

    def acknowledge(self, _packets: Sequence[int]) -> None:
        self._is_stored = True
        self._is_over.set()

    def give_up(self) -> None:
        self._is_over.set()

    def is_stored(self, seconds: float) -> bool:
        self._is_over.wait(seconds)
        return self._is_stored
