"""Counts what a broker took and threw away: messages that the access list refuses, by who sent them and on which topic.

To MQTT 3.1.1 mosquitto acknowledges such a message as any other, and counts it nowhere; only its log says so, with `log_type debug`. Who
sent it is the name of the certificate, by what the log says of the connection: a client id is anybody's choice. Guarantees that memory and
what is shown stay bounded, whatever ids and topics devices invent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from program.exposition import family

_ENTERED = re.compile(r"New client connected from \S+ as (.*) \(p\d+, c\d+, k\d+, u'([^']*)'\)\.$")
_DENIED = re.compile(r"Denied PUBLISH from (.*) \(d\d, q\d, r\d, m\d+, '(.*)', \.\.\. \(\d+ bytes\)\)$")

MOST_CLIENTS, MOST_PAIRS, MOST_CHARACTERS = 10_000, 1000, 100
OTHERS = ("", "")
"""Name and topic under which messages are counted that would be one pair too many."""

_METRIC = "tinybeam_broker_refused_total"


class Refused:
    """Reads the lines of a log as they come: `refused.add(lines)`."""

    def __init__(self) -> None:
        self.counted = Counter[tuple[str, str]]()
        self._names: dict[str, str] = {}
        """Client id -> name of who is connected under it."""

    def add(self, lines: Iterable[str]) -> None:
        for line in lines:
            if entered := _ENTERED.search(line.rstrip()):
                self._note(entered[1], entered[2])
            elif denied := _DENIED.search(line.rstrip()):
                self._count(self._names.get(denied[1], denied[1])[:MOST_CHARACTERS], denied[2][:MOST_CHARACTERS])

    def exposition(self) -> Iterator[str]:
        """Yields lines of Prometheus' text format 0.0.4."""
        samples = (({"name": name, "topic": topic}, count) for (name, topic), count in sorted(self.counted.items()))
        meaning = "Messages that the broker acknowledged and threw away, since its access list refuses them"
        yield from family(_METRIC, "counter", meaning, samples)

    def _note(self, client_id: str, name: str) -> None:
        self._names.pop(client_id, None)
        self._names[client_id] = name
        if len(self._names) > MOST_CLIENTS:
            del self._names[next(iter(self._names))]

    def _count(self, *pair: str) -> None:
        name, topic = pair
        known = (name, topic) in self.counted or len(self.counted) < MOST_PAIRS
        self.counted[(name, topic) if known else OTHERS] += 1
