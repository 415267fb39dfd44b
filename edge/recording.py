"""Reads recordings of messages, a line each: as sensors' JSON with device and time, or as `mosquitto_sub -v` prints them.

A line that is no message is noted and passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from edge.config import Config

_LISTED = 3
_MAX_SPACES = 20
_JSON = re.compile(rb'[{\["]')
_TIMED = re.compile(rb"(\d{4}-\d\d-\d\dT\S+|\d{9,11}(?:\.\d+)?) +(?=\S+ )")


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """Holds a message, and when it came, which is the gateway's clock here; None if nobody noted it."""

    topic: str
    time: datetime | None
    payload: bytes


@dataclass(slots=True)
class BadLines:
    """Counts lines that are no messages, and keeps what is wrong with the first."""

    count: int = 0
    sentences: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        self.count += 1
        if len(self.sentences) < _LISTED:
            self.sentences.append(sentence)

    def __str__(self) -> str:
        more = f"; and {self.count - len(self.sentences)} more" if self.count > len(self.sentences) else ""
        return f"{self.count} lines are no messages: {'; '.join(self.sentences)}{more}"


class _Line(msgspec.Struct):
    device: str | None = None
    topic: str | None = None
    time: float | str | None = None
    tst: str | None = None
    payload: msgspec.Raw = msgspec.Raw()
    payload_base64: bytes | None = None


_line = msgspec.json.Decoder(_Line)


def read_recording(lines: Iterable[bytes], config: Config, bad: BadLines) -> Iterator[RecordedMessage]:
    """Yields one message a line. A line is one of

    - a reading in JSON as sensors send it, with `device` and `time`; or these two (or `topic`) and the `payload` of another format, as text
      or as `payload_base64`;
    - `TOPIC PAYLOAD`, as `mosquitto_sub -v` prints it, `TIME TOPIC PAYLOAD`, as `mosquitto_sub -F '%I %t %p'` does, or the JSON of `%j` and
      `%J`.

    Empty lines are passed over.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text:
            try:
                yield _json_line(text, config) if text.startswith(b"{") else _topic_line(text, config)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, OSError) as error:
                bad.add(f"line {number}: {error}")


def _json_line(line: bytes, config: Config) -> RecordedMessage:
    parsed = _line.decode(line)
    payload = parsed.payload_base64 or _payload(parsed.payload) or line
    time = parsed.tst if parsed.time is None else parsed.time
    if parsed.topic is None and (parsed.device is None or parsed.time is None):
        raise ValueError("a recorded message is a JSON object with device and time, or a line of `mosquitto_sub -v`")
    topic = config.topic_of(parsed.device or "") if parsed.topic is None else parsed.topic
    return RecordedMessage(topic, None if time is None else _moment(time), payload)


def _payload(raw: msgspec.Raw) -> bytes:
    """Returns what a text holds, anything else as it is."""
    return msgspec.json.decode(raw, type=str).encode() if bytes(raw).startswith(b'"') else bytes(raw)


def _topic_line(line: bytes, config: Config) -> RecordedMessage:
    timed = _TIMED.match(line)
    rest = line[timed.end() if timed else 0 :]
    patterns = [pattern for sensors in config.sensors for pattern in config.topics_of(sensors)]
    splits = list(_splits(rest))
    fitting = [each for each in splits if any(pattern.match(each[0]) for pattern in patterns)]
    topic, payload = next((each for each in splits if _is_json(each[1])), (fitting or splits)[0])
    if (topic, payload) not in fitting:
        raise ValueError(f"{topic[:80]!r} is no topic of the gateway's, which are {', '.join(config.subscriptions)}")
    return RecordedMessage(topic, _moment(_number_or_text(timed[1].decode())) if timed else None, payload)


def _splits(line: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields topic and payload with each of the first spaces between, for names of devices may have some; none is within JSON."""
    at = line.find(b" ")
    if at < 0:
        yield line.decode(), b""
    for _ in range(_MAX_SPACES):
        if at < 0 or _JSON.search(line, 0, at):
            return
        yield line[:at].decode(), line[at + 1 :]
        at = line.find(b" ", at + 1)


def _is_json(payload: bytes) -> bool:
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _moment(time: float | str) -> datetime:
    if isinstance(time, str):
        moment = datetime.fromisoformat(re.sub(r"Z?([+-]\d\d)(\d\d)$", r"\1:\2", time))
        if moment.tzinfo is None:
            raise ValueError(f"time {time[:40]!r} has no offset: write Z for UTC")
        return moment.astimezone(UTC)
    return datetime.fromtimestamp(time, UTC)
