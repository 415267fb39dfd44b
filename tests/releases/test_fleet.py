"""With a fleet that is known no more gateways run a release than its share says, at each step, and whoever runs it runs it still (M6)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases import fleet
from releases.error import ReleaseError
from releases.rollout import Group, Rollout, decode, encode
from schemas.records import GatewayKey
from schemas.registry import Registry
from tests.releases.publisher import NOW
from tests.releases.test_rollout import SALTS, rollout

STEPS = (1.0, 5.0, 25.0, 60.0, 100.0)
SIZES = st.integers(1, 400)


def gateways(size: int, name: str = "gateway") -> fleet.Fleet:
    return {f"{name}-{number}": [f"site-{number % 7}"] for number in range(size)}


def known(size: int, salt: str, **fields: Group) -> Rollout:
    return fleet.with_reaches(rollout(0, salt, **fields), gateways(size), STEPS)


def at(one: Rollout, share: float) -> Rollout:
    return msgspec.structs.replace(one, share=share)


@given(salt=SALTS, size=SIZES)
def test_no_more_run_it_than_each_step_says_and_at_least_one(salt: str, size: int) -> None:
    one = known(size, salt)
    counts = [len(fleet.running(at(one, share), gateways(size))) for share in STEPS]
    assert counts == [max(1, int(share * size / 100)) for share in STEPS]


@given(salt=SALTS, size=SIZES, shares=st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted))
def test_whoever_runs_it_runs_it_still_whatever_the_shares(salt: str, size: int, shares: list[float]) -> None:
    one, everyone = known(size, salt), {**gateways(size), **gateways(50, "unknown")}
    less, more = (set(fleet.running(at(one, share), everyone)) for share in shares)
    assert less <= more


@given(salt=SALTS)
def test_a_share_between_two_steps_reaches_no_more_than_the_lower(salt: str) -> None:
    one = known(200, salt)
    assert fleet.running(at(one, 24.9), gateways(200)) == fleet.running(at(one, 5), gateways(200))


def test_gateways_that_nobody_knows_run_it_in_proportion() -> None:
    one, unknown = known(1000, "0" * 16), gateways(2000, "unknown")
    assert [len(fleet.running(at(one, share), unknown)) / 20 for share in STEPS] == pytest.approx(STEPS, abs=2)


def test_those_that_are_pinned_count_and_those_that_are_excluded_are_made_up_for() -> None:
    pinned = known(100, "0" * 16, pinned=Group(tuple(f"gateway-{number}" for number in range(3))))
    assert [len(fleet.running(at(pinned, share), gateways(100))) for share in STEPS] == [3, 5, 25, 60, 100]
    excluded = known(100, "0" * 16, excluded=Group(sites=("site-0",)))
    assert [len(fleet.running(at(excluded, share), gateways(100))) for share in STEPS] == [1, 5, 25, 60, 85]


def test_a_halt_and_what_a_file_holds_are_as_without() -> None:
    one = known(50, "0" * 16)
    assert decode(encode(one), "soil") == one
    assert fleet.running(at(one, 0), gateways(50)) == []


def test_gateways_of_a_registry_are_those_with_a_key_that_is_good() -> None:
    keys = [
        GatewayKey(gateway_id="gw-1", public_key="a", valid_from=NOW, revoked_time=NOW),
        GatewayKey(gateway_id="gw-1", public_key="b", valid_from=NOW, site_id="mill"),
        GatewayKey(gateway_id="gw-2", public_key="c", valid_from=NOW, revoked_time=NOW - timedelta(days=1)),
        GatewayKey(gateway_id="gw-3", public_key="d", valid_from=NOW),
    ]
    assert fleet.of_registry(Registry((), (), gateways=tuple(keys)), NOW) == {"gw-1": {"mill"}, "gw-3": set()}


def test_files_are_read_by_what_they_are(tmp_path: Path) -> None:
    registry, rows = tmp_path / "registry.toml", tmp_path / "rows.json"
    registry.write_text("")
    rows.write_text('[{"gateway_id": "gw-1", "site_id": "mill", "version": "0.3"}, {"gateway_id": "gw-2"}]')
    assert (fleet.read(registry, NOW), fleet.read(rows, NOW)) == ({}, {"gw-1": {"mill"}, "gw-2": set()})
    registry.write_text("gatewayz = 1")
    rows.write_text("{}")
    for file in (registry, rows, tmp_path / "absent.json"):
        with pytest.raises(ReleaseError, match=file.name):
            fleet.read(file, NOW)
