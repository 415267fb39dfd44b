"""A batch goes to Pub/Sub with two attributes, and comes out of the message whole; a message of before says the same with eleven."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import MAX_RAW_BYTES, MAX_ROWS, Envelope
from schemas.message import FIELDS, MARK, folded, unfolded
from schemas.records import KINDS

TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
ENVELOPES = st.builds(
    Envelope,
    gateway_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
    epoch=st.integers(0, 2**63 - 1),
    seq=st.integers(1, 2**63 - 1),
    kind=st.sampled_from(list(KINDS)),
    row_count=st.integers(1, MAX_ROWS),
    raw_bytes=st.integers(1, MAX_RAW_BYTES),
    priority=st.integers(0, 9),
    cut_time=TIMES,
    time_min=TIMES,
    time_max=TIMES,
    schema_version=st.sampled_from(["1.0", "1.3", "12.9999"]),
)
ONE = Envelope(
    gateway_id="gw1",
    epoch=2**47 + 1,
    seq=300,
    kind="summaries",
    row_count=10,
    raw_bytes=1750,
    priority=1,
    cut_time=datetime(2026, 5, 1, 12, 5, 10, 123456, tzinfo=UTC),
    time_min=datetime(2026, 5, 1, 12, tzinfo=UTC),
    time_max=datetime(2026, 5, 1, 12, 4, tzinfo=UTC),
    schema_version="1.3",
)
GOLDEN = bytes.fromhex("0182808080808040d804020614ac1b0280afe8c78cb0a806ffeee0a702fffeef42")
"""What stands before the body of ONE, as 0.3 writes it."""


@given(ENVELOPES, st.binary(max_size=30))
def test_what_is_folded_comes_out_as_it_was(envelope: Envelope, body: bytes) -> None:
    assert unfolded(*folded(envelope, body)) == (envelope.attributes(), body)


def test_only_what_routes_stays_an_attribute_and_the_rest_takes_a_few_bytes() -> None:
    attributes, data = folded(ONE, b"body")
    assert attributes == {"gateway_id": "gw1", "kind": "summaries"}
    assert len(data) - len(b"body") <= 36
    assert data == GOLDEN + b"body"


def test_a_message_of_before_is_left_as_it_is() -> None:
    assert unfolded(ONE.attributes(), b"\x28\xb5\x2f\xfd...") == (ONE.attributes(), b"\x28\xb5\x2f\xfd...")


@given(st.binary(max_size=40))
def test_no_bytes_do_harm(data: bytes) -> None:
    attributes, body = unfolded({"gateway_id": "gw1"}, MARK + data)
    assert attributes.keys() in ({"gateway_id"}, {"gateway_id", "schema_version", *FIELDS} - {"major", "minor"})
    assert (MARK + data).endswith(body)


def test_attributes_that_are_there_count() -> None:
    """So that somebody who mends a reject can change them."""
    attributes, data = folded(ONE, b"body")
    assert unfolded({**attributes, "row_count": "11"}, data)[0]["row_count"] == "11"


def test_times_a_year_apart_are_exact() -> None:
    far = Envelope(**{**{name: getattr(ONE, name) for name in ONE.__dataclass_fields__}, "time_min": ONE.time_min - timedelta(days=400)})
    assert Envelope.parse(unfolded(*folded(far, b""))[0]) == far
