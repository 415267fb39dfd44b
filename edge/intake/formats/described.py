"""Reads messages that a class describes in [sensors.payload]. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from edge.intake.documents import DOCUMENTS
from edge.intake.formats.fault import or_fault
from edge.intake.formats.format import Context, FormatSetup
from edge.intake.mapping.message_map import MessageMap
from edge.reading import PayloadError, Reading, Rejected


class DescribedFormat:
    """Claims every payload: a class that describes its messages has no others, frames excepted."""

    def __init__(self, setup: FormatSetup) -> None:
        described = [(sensors, sensors.payload) for sensors in setup.config.sensors if sensors.payload]
        self._documents = {sensors.name: DOCUMENTS[payload.format] for sensors, payload in described}
        self._maps = {sensors.name: MessageMap(sensors, setup.ranges(sensors), setup.devices, setup.counted) for sensors, _ in described}

    def claims(self, payload: bytes) -> bool:
        return True

    def read(self, payload: bytes, context: Context) -> Iterator[Reading | Rejected]:
        name = context.sensors.name
        try:
            documents = self._documents[name](payload, context.arrived_us)
        except PayloadError as error:
            yield Rejected(error.reason, str(error), payload, context.device_id or None)
            return
        for document in documents:
            yield from or_fault(self._maps[name].read(document, context), document.body, context)
