"""What comes from a subscription is a batch with its whole envelope, whether the gateway folded it or sent all of it as attributes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.utils.timestamp import Timestamp

from edge.store.batch import encode
from pipeline.decode import decode
from pipeline.elements import ReceivedMessage
from pipeline.io.sources import _AsMessage
from schemas.envelope import Envelope
from schemas.message import folded
from tests.pipeline.bodies import NOW, numbered

BATCH = encode("summaries", numbered(3))
ENVELOPE = Envelope(
    gateway_id="gw1",
    epoch=2**40,
    seq=12,
    kind="summaries",
    row_count=3,
    raw_bytes=BATCH.raw_bytes,
    priority=1,
    cut_time=NOW + timedelta(minutes=15),
    time_min=BATCH.time_min,
    time_max=BATCH.time_max,
)


def received(attributes: dict[str, str], data: bytes) -> ReceivedMessage:
    [message] = _AsMessage().process(PubsubMessage(data, attributes), Timestamp.of(NOW.timestamp()))
    return message


@pytest.mark.parametrize("sent", [folded(ENVELOPE, BATCH.body), (ENVELOPE.attributes(), BATCH.body)], ids=["folded", "as attributes"])
def test_a_message_of_either_form_is_the_same_batch(sent: tuple[dict[str, str], bytes]) -> None:
    message = received(*sent)
    assert (message.attributes, message.body, message.received_time) == (ENVELOPE.attributes(), BATCH.body, NOW)
    assert decode(message).envelope == ENVELOPE


def test_a_message_of_somebody_else_is_left_as_it_is() -> None:
    assert received({"origin": "x"}, b"\1\xff") == ReceivedMessage({"origin": "x"}, b"\1\xff", NOW)
