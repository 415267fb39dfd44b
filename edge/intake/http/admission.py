"""Says whether a request is taken: who it comes from, for which device, how large and of what it is. No I/O; any thread may ask."""

from __future__ import annotations

import glob
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from edge.config import Config
from edge.intake.http.pace import Pace
from edge.intake.http.refusal import Refused
from edge.intake.http.tokens import Credential, Tokens
from edge.intake.routes import Route, Routes
from edge.reading import PayloadError
from edge.store.section import Section
from program.patterns import matches

PATH = "/v1/readings/"
_TYPES = frozenset(
    {
        "application/json",
        "application/x-ndjson",
        "application/jsonl",
        "application/cbor",
        "application/senml+json",
        "application/senml+cbor",
        "application/octet-stream",
        "text/plain",
    }
)
_LONGEST_TARGET = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """Holds what stands before the body of a request, and the names in the certificate of who sent it."""

    path: str
    headers: Mapping[str, str]
    """By name in lower case."""
    certificate_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Says under which topic the body is a message, and how many bytes it has."""

    topic: str
    length: int


class Admission:
    """Knows who may post for which devices. Usage: `admission.of(head)`."""

    def __init__(self, config: Config, tokens: Tokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._config, self._tokens, self._clock = config, tokens, clock
        self._pace = Pace(config.http.max_requests_per_minute)
        self._lock = threading.Lock()
        self._patterns = [pattern for sensors in config.sensors for pattern in config.topics_of(sensors)]
        # Its own: names are noted by the core, whose thread is another.
        self._routes = Routes(config, Section("names"))

    def of(self, head: Head) -> Admitted:
        """Raises Refused."""
        if not head.path.startswith(PATH):
            raise Refused(404, f"readings are posted to {PATH}DEVICE, or to {PATH} and a topic of the gateway's configuration")
        credential = self._credential(head)
        self._pace.take(credential.name, self._clock())
        target = unquote(head.path[len(PATH) :].split("?", 1)[0])
        route, topic = self._route(target)
        if not _covers(credential, route):
            whom = f"device {route.device_id}" if route.device_id else f"every device of the class {route.sensors.name}"
            raise Refused(403, f"these credentials do not speak for {whom}")
        self._check_type(head.headers, route)
        return Admitted(topic, self._length(head.headers))

    def _credential(self, head: Head) -> Credential:
        """Returns who speaks: by token if there is one, else by certificate."""
        scheme, _, token = head.headers.get("authorization", "").partition(" ")
        if token:
            known = self._tokens.credential(token.strip()) if scheme.lower() == "bearer" else None
        else:
            known = _of_certificate(head.certificate_names)
        if known is None:
            raise Refused(401, "no device is known by this: send the header `Authorization: Bearer TOKEN` with a token of http.tokens_file")
        return known

    def _route(self, target: str) -> tuple[Route, str]:
        if not target or len(target) > _LONGEST_TARGET:
            raise Refused(404, f"behind {PATH} stands the device, or a topic of the gateway's configuration")
        is_topic = "/" in target or any(pattern.match(target) for pattern in self._patterns)
        topic = target if is_topic else self._config.topic_of(target)
        try:
            with self._lock:
                return self._routes.known.get(topic) or self._routes.of_topic(topic), topic
        except PayloadError as error:
            raise Refused(404, str(error)) from error

    def _check_type(self, headers: Mapping[str, str], route: Route) -> None:
        kind = headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if kind and kind not in _TYPES:
            raise Refused(415, f"Content-Type {kind[:80]} is none of {', '.join(sorted(_TYPES))}")
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding != "identity" and not (coding == "gzip" and route.sensors.payload):
            raise Refused(415, f"Content-Encoding {coding[:80]}: gzip is for classes with [sensors.payload], others are sent as they are")

    def _length(self, headers: Mapping[str, str]) -> int:
        text = headers.get("content-length", "")
        if "transfer-encoding" in headers or not text:
            raise Refused(411, "send the body whole, with its Content-Length")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise Refused(400, "Content-Length is no number")
        if int(text) > self._config.mqtt.max_payload_bytes:
            raise Refused(413, f"a message has at most the {self._config.mqtt.max_payload_bytes} bytes of mqtt.max_payload_bytes")
        return int(text)


def _of_certificate(names: Sequence[str]) -> Credential | None:
    return Credential(f"certificate of {names[0]}", tuple(map(glob.escape, names))) if names else None


def _covers(credential: Credential, route: Route) -> bool:
    """Says whether one speaks for the device of a message; where the message itself names devices, for all of the class."""
    if route.device_id is not None:
        return matches(route.device_id, credential.devices)
    needed = {pattern for sensors in (route.sensors, *route.beside) for pattern in sensors.devices}
    return "*" in credential.devices or needed <= set(credential.devices)
