"""A signature is of all attributes of an envelope and of the body, and travels with a message in either form."""

from __future__ import annotations

import hmac
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Envelope
from schemas.key_agreement import UnusableKey, as_registered, of_gateway, of_pipeline, public_key
from schemas.message import all_attributes, folded, message_parts, unfolded
from schemas.signature import ATTRIBUTE, SIGNATURE_BYTES, AgreedKey, signature_in
from tests.pipeline.signed import PIPELINE, key_of
from tests.schemas.test_message import ENVELOPES, ONE

KEY = of_gateway(key_of("gw1"), key_of(PIPELINE).public_key(), "gw1")
OTHERS = {str: "events", int: 9}


def test_both_sides_agree_and_a_key_is_of_one_name_and_two_keys() -> None:
    assert of_pipeline(key_of(PIPELINE), key_of("gw1").public_key(), "gw1") == KEY
    others = (
        of_pipeline(key_of(PIPELINE), key_of("gw1").public_key(), "gw2"),
        of_pipeline(key_of(PIPELINE), key_of("gw2").public_key(), "gw1"),
        of_pipeline(key_of("other"), key_of("gw1").public_key(), "gw1"),
    )
    assert len({KEY.secret, *(each.secret for each in others)}) == 4
    assert KEY.secret.hex() not in repr(KEY)


@pytest.mark.parametrize("name", [field.name for field in fields(Envelope)])
def test_every_attribute_is_signed(name: str) -> None:
    value = getattr(ONE, name)
    other = replace(ONE, **{name: value + timedelta(seconds=1) if name.endswith(("time", "min", "max")) else OTHERS[type(value)]})
    signature = KEY.signature(ONE.attributes(), b"body")
    assert KEY.has_signed(signature, ONE.attributes(), b"body")
    assert not KEY.has_signed(signature, other.attributes(), b"body")


@given(ENVELOPES, st.binary(max_size=30))
def test_a_signature_travels_with_the_message_folded_or_not(envelope: Envelope, body: bytes) -> None:
    signature = KEY.signature(envelope.attributes(), body)
    for attributes, data in (folded(envelope, body, signature), message_parts(envelope, body, signature)):
        found, came = unfolded(attributes, data)
        assert (found, came) == (all_attributes(envelope, signature), body)
        assert signature_in(found) == signature


def test_a_signature_takes_18_bytes() -> None:
    signature = KEY.signature(ONE.attributes(), b"body")
    assert len(signature) == SIGNATURE_BYTES == 18
    assert len(folded(ONE, b"body", signature)[1]) - len(folded(ONE, b"body")[1]) == 18


@pytest.mark.parametrize("written", ["", "00", "x" * 36, "00" * 17, "00" * 19])
def test_what_is_no_signature_is_none(written: str) -> None:
    assert signature_in({ATTRIBUTE: written}) == b""
    assert signature_in({}) is None


@pytest.mark.parametrize("registered", ["", "%%", "AAAA", as_registered(key_of("gw1").public_key())[:-4]])
def test_what_is_no_public_key_is_refused(registered: str) -> None:
    with pytest.raises(UnusableKey):
        public_key(registered)
    assert public_key(as_registered(key_of("gw1").public_key())) == key_of("gw1").public_key()


def test_the_signature_of_a_known_key_and_batch_is_the_same_in_every_release() -> None:
    key = AgreedKey(b"\x01\x02", bytes(range(32)))
    assert key.signature(ONE.attributes(), b"body").hex() == GOLDEN
    text = "\n".join(ONE.attributes()[field.name] for field in fields(Envelope)).encode() + b"\nbody"
    assert key.signature(ONE.attributes(), b"body")[2:] == hmac.digest(key.secret, text, "sha256")[:16]


GOLDEN = "01025716391d9f8ed905331c15ad26a3e61f"
