"""Decodes received messages to batches; a message that is no batch becomes a reject. The logic is in pipeline/decode.py."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from pipeline import rejects
from pipeline.decode import Undecodable, decode
from pipeline.elements import Clock, DecodedBatch, ReceivedMessage, TableRows

_REJECTS = "rejects"


class Decode(beam.PTransform):
    """Decodes: `batches, undecodable = messages | Decode(clock)`."""

    def __init__(self, clock: Clock, *, keep_messages: bool = False) -> None:
        super().__init__()
        self._clock = clock
        self._keep_messages = keep_messages

    def expand(self, messages: PCollection[ReceivedMessage]) -> tuple[PCollection[DecodedBatch], PCollection[TableRows]]:
        outputs = messages | beam.ParDo(_Decode(self._clock, keep_messages=self._keep_messages)).with_outputs(_REJECTS, main="batches")
        return outputs["batches"], outputs[_REJECTS]


class _Decode(beam.DoFn):
    def __init__(self, clock: Clock, *, keep_messages: bool) -> None:
        self._clock = clock
        self._keep_messages = keep_messages

    def process(self, message: ReceivedMessage) -> Iterator[Any]:
        try:
            yield decode(message, keep_message=self._keep_messages)
        except Undecodable as error:
            yield TaggedOutput(_REJECTS, rejects.of_message(message, error.reason, str(error), self._clock()))
        except Exception as error:  # noqa: BLE001 - set aside
            yield TaggedOutput(_REJECTS, rejects.of_message(message, "fault", repr(error), self._clock(), traceback.format_exc()))
