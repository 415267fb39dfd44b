"""Every payload is claimed by a format, and what each claims it reads whole."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.frame import MAGIC
from edge.intake.formats import FORMATS, FormatSetup, formats
from edge.reading import Reading, Rejected
from tests.edge import payloads
from tests.edge.gateways import config

PAYLOADS = st.binary(max_size=200) | st.builds(MAGIC.__add__, st.binary(max_size=200))


def test_the_formats_of_a_gateway_are_asked_in_the_order_of_the_list() -> None:
    assert [type(each) for each in formats(FormatSetup(config(Path())))] == list(FORMATS)


@given(PAYLOADS)
def test_the_last_format_claims_every_payload_and_the_others_do_not(payload: bytes) -> None:
    *others, last = formats(FormatSetup(config(Path())))
    assert last.claims(payload)
    assert any(each.claims(payload) for each in others) == payload.startswith(MAGIC)


@given(PAYLOADS)
def test_a_payload_becomes_readings_and_rejects_with_its_own_bytes_and_nothing_is_raised(payload: bytes) -> None:
    results = payloads.read(payload)
    assert results or payload.strip() == b"[]"
    assert all(isinstance(result, Reading) or (isinstance(result, Rejected) and result.body in payload) for result in results)
