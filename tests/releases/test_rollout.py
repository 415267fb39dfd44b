"""The choice: alike each time, as many as the share says, and whoever runs a release runs it still when the share grows (M6)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.error import Untrusted
from releases.rollout import MAX_DECISIONS, Decision, Group, Rollout, decode, encode, place
from tests.releases.publisher import NOW

FLEET = [f"gateway-{number}" for number in range(1000)]
PLACES = [65.884335, 5.89791, 5.463639]
SHARES = st.floats(0, 100)
SALTS = st.text("0123456789abcdef", min_size=16, max_size=16)


def rollout(share: float = 5, salt: str = "0123456789abcdef", **fields) -> Rollout:
    return Rollout(model="soil", release=2, previous=1, share=share, salt=salt, **fields)


def running(one: Rollout) -> set[str]:
    return {gateway for gateway in FLEET if one.chooses(gateway)}


@given(salt=SALTS, shares=st.tuples(SHARES, SHARES).map(sorted))
def test_whoever_runs_it_runs_it_still_when_the_share_grows(salt: str, shares: list[float]) -> None:
    assert running(rollout(shares[0], salt)) <= running(rollout(shares[1], salt))


@given(salt=SALTS)
def test_none_run_it_at_0_and_all_at_100_per_cent(salt: str) -> None:
    assert (running(rollout(0, salt)), running(rollout(100, salt))) == (set(), set(FLEET))


def test_the_choice_is_the_same_wherever_and_whenever_it_is_made() -> None:
    assert [round(place("0123456789abcdef", name), 6) for name in FLEET[:3]] == PLACES
    assert running(decode(encode(rollout(25)), "soil")) == running(rollout(25))


def test_another_rollout_begins_with_others() -> None:
    first, second = (running(rollout(5, salt)) for salt in ("0" * 16, "1" * 16))
    assert len(first & second) < len(first) / 2


def test_a_halt_leaves_nobody_with_it_whoever_is_pinned() -> None:
    one = rollout(100, pinned=Group(gateways=("gateway-1",))).after(Decision(time=NOW, action="halt", share=0))
    assert running(one) == set()
    assert one.release_of("gateway-1") == 1


def test_gateways_and_sites_are_pinned_and_excluded() -> None:
    one = rollout(0, pinned=Group(("gateway-1",), ("mill",)), excluded=Group(("gateway-2",), ("hill",)))
    assert [one.release_of(*each) for each in (("gateway-1",), ("gateway-3",), ("gateway-3", ["mill"]))] == [2, 1, 2]
    assert [one.release_of(*each) for each in (("gateway-2", ["mill"]), ("gateway-1", ["hill"]))] == [1, 1]
    assert msgspec.structs.replace(one, previous=None).release_of("gateway-3") is None


def test_the_last_decisions_are_kept() -> None:
    one = rollout()
    for hour in range(MAX_DECISIONS + 5):
        one = one.after(Decision(time=NOW, action="wait", share=5, reasons=(str(hour),)))
    assert len(one.decisions) == MAX_DECISIONS
    assert one.decisions[-1].reasons == (str(MAX_DECISIONS + 4),)


def test_what_a_later_version_adds_is_not_looked_at() -> None:
    content = msgspec.json.encode(msgspec.to_builtins(rollout()) | {"moon": "full"})
    assert decode(content, "soil") == rollout()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        encode(rollout()).replace(b'"share": 5', b'"share": 101'),
        encode(rollout()).replace(b'"soil"', b'"../soil"'),
        b"[" * 9999,
    ],
)
def test_what_is_no_rollout_is_refused(content: bytes) -> None:
    with pytest.raises(Untrusted, match="cannot be read"):
        decode(content, "soil")


def test_the_rollout_of_another_model_is_refused() -> None:
    with pytest.raises(Untrusted, match="the rollout of vibration is one of soil"):
        decode(encode(rollout()), "vibration")
